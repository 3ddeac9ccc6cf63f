import numpy as np
import pytest

from evonas.view import curves


def learned(individual, number, scores, *, birth=None, score="accuracy", **fields):
    curve = tuple({"epoch": at + 1, f"validation_{score}": value} for at, value in enumerate(scores))
    metrics = {score: scores[-1]} | ({} if birth is None else {f"{score}_at_birth": birth})
    return individual(number, **{"fitness": scores[-1], "epochs": len(scores), **fields}, curve=curve, metrics=metrics)


@pytest.fixture
def family(individual):
    """0 sampled; 1 of 0 with its weights; 2, the winner, of 1; 3 of 0 without weights; 4 failed."""
    return [
        learned(individual, 0, [0.1, 0.5]),
        learned(individual, 1, [0.6, 0.7, 0.8], birth=0.4, parents=(0,), donors=(0,)),
        learned(individual, 2, [0.9], birth=0.85, parents=(1, 0), donors=(1, 0)),
        learned(individual, 3, [0.3, 0.4], parents=(0,)),
        individual(4, state="failed", fitness=None, parents=(0,), donors=(0,)),
    ]


def points(ax, gid):
    (found,) = [one for one in ax.lines if one.get_gid() == gid]
    return list(zip(found.get_xdata().tolist(), found.get_ydata().tolist(), strict=True))


def test_an_heir_begins_where_its_donor_ended_with_its_score_at_birth(family):
    ax = curves(family[::-1])
    assert points(ax, "curve-0") == [(1, 0.1), (2, 0.5)]
    assert points(ax, "curve-1") == [(2, 0.4), (3, 0.6), (4, 0.7), (5, 0.8)]
    assert points(ax, "curve-2") == [(5, 0.85), (6, 0.9)]


def test_the_winner_is_strong_its_ancestors_next_and_all_others_faded(family):
    ax = curves(family)
    widths = {one.get_gid(): one.get_linewidth() for one in ax.lines if (one.get_gid() or "").startswith("curve")}
    (others,) = [one for one in ax.collections if one.get_gid() == "others"]
    assert [segment.tolist() for segment in others.get_segments()] == [[[1, 0.3], [2, 0.4]]]
    assert widths["curve-2"] > widths["curve-1"] == widths["curve-0"] > 2 * others.get_linewidths()[0]
    assert "individual 2, the winner" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_another_winner_has_its_own_ancestors(family):
    ax = curves(family, winner=3)
    assert {one.get_gid() for one in ax.lines if (one.get_gid() or "").startswith("curve")} == {"curve-0", "curve-3"}


def test_a_score_that_is_minimised_keeps_its_low_end_in_the_picture(individual):
    rng = np.random.default_rng(0)
    told = [learned(individual, i, [900.0, 2.0 + 4 * rng.random(), 2.0], score="bits") for i in range(20)]
    told.append(learned(individual, 20, [2.5, 1.0], score="bits", fitness=9.0))
    ax = curves(told, score="bits", maximise=False)
    low, high = ax.get_ylim()
    assert low < 1.0
    assert max(one.curve[1]["validation_bits"] for one in told) < high < 900
    assert ax.get_ylabel() == "validation bits"


def test_of_a_long_line_the_ends_are_strong_and_not_the_curves(individual):
    told = [learned(individual, 0, [0.1, 0.2])]
    for i in range(1, 100):
        told.append(learned(individual, i, [0.2, 0.2 + i / 1e3], birth=0.1, parents=(i - 1,), donors=(i - 1,)))
    ax = curves(told)
    (ends,) = [one for one in ax.lines if one.get_gid() == "ends"]
    (curve,) = [one for one in ax.lines if one.get_gid() == "curve-50"]
    assert ends.get_xdata().tolist() == [2 * i for i in range(1, 100)]
    assert ends.get_linewidth() > 2 * curve.get_linewidth()
    assert curve.get_alpha() < 0.5


def test_of_a_great_many_some_are_drawn_and_it_is_said(individual):
    told = [learned(individual, i, [0.1, 0.2 + i / 1e5]) for i in range(2500)]
    ax = curves(told)
    (others,) = [one for one in ax.collections if one.get_gid() == "others"]
    assert len(others.get_segments()) == 2000
    assert "all others (2,000 of 2,499)" in [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("state", ["complete", "failed"])
@pytest.mark.parametrize("n", [0, 1, 5])
def test_nothing_to_show_is_said(individual, n, state):
    ax = curves([individual(i, state=state, fitness=0.5 if state == "complete" else None) for i in range(n)])
    assert "nothing to show" in ax.texts[0].get_text()


def test_one_individual_of_one_epoch_is_drawn(individual):
    ax = curves([learned(individual, 0, [0.4])])
    assert points(ax, "curve-0") == [(1, 0.4)]
    ax.get_figure().draw_without_rendering()
