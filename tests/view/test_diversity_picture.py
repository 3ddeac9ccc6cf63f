import numpy as np

from evonas.analysis.diversity import Diversity
from evonas.view import diversity

MEASURED = Diversity(np.array([10.0, 20.0]), np.array([[0.5, 0.3], [0.4, 0.2], [0.6, 0.4]]), 10)
NOTHING = Diversity(np.zeros(0), np.zeros((3, 0)), 10)


def line(ax, gid):
    (found,) = [one for one in ax.lines if one.get_gid() == gid]
    return found.get_xdata().tolist(), found.get_ydata().tolist()


def test_the_mean_is_a_line_beside_the_control():
    control = Diversity(np.array([5.0]), np.array([[1.5], [1.0], [2.0]]), 10)
    ax = diversity(MEASURED, control=control, axis="epochs")
    assert line(ax, "mean") == ([10.0, 20.0], [0.5, 0.3])
    assert line(ax, "control") == ([5.0], [1.5])
    assert ax.get_xlabel() == "epochs"
    assert ax.get_ylim()[1] > 1.5


def test_nothing_to_show_is_said():
    assert "nothing to show" in diversity(NOTHING).texts[0].get_text()


def test_a_control_without_diversity_is_left_out():
    assert [one.get_gid() for one in diversity(MEASURED, control=NOTHING).lines] == ["mean"]


def test_equal_genomes_have_an_axis():
    ax = diversity(Diversity(np.array([2.0]), np.zeros((3, 1)), 10))
    assert ax.get_ylim() == (0.0, 1.0)
    ax.get_figure().draw_without_rendering()
