"""The picture of a recurrent cell."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from evonas.view import figure, recurrent
from genomes import Recurrent
from genomes.encoding import uniform
from genomes.recurrence import CELLS, RecurrentCell, Step


def tree(seed: int, base: int) -> RecurrentCell:
    rng = np.random.default_rng(seed)
    return Recurrent(base=base).sample(uniform(rng), rng=rng).developed


CASES = {**CELLS, **{f"tree-{base}": tree(base, base) for base in (2, 3, 8)}}


def gids(ax: Axes, kind: str) -> set[str]:
    return {gid.removeprefix(f"{kind}-") for artist in ax.patches if (gid := str(artist.get_gid())).startswith(kind)}


@pytest.mark.parametrize("name", CASES)
def test_every_step_and_all_that_it_reads_is_drawn(name: str, tmp_path: Path) -> None:
    cell = CASES[name]
    ax = recurrent(cell, title=name)
    reads_memory = any("c" in step.inputs for step in cell.steps)
    assert gids(ax, "node") == {"x", *(step.name for step in cell.steps)} | ({"c"} if reads_memory else set())
    expected = {
        f"{'x' if source == 'h' else source}-{step.name}" for step in cell.steps for source in step.inputs or ("x",)
    }
    assert gids(ax, "edge") == expected
    words = [text.get_text() for text in ax.texts]
    assert sum("h'" in word for word in words) == 1
    assert sum("c'" in word for word in words) == (cell.memory is not None)
    figure.save(ax, tmp_path / "a.svg")
    assert len(re.findall('id="node-', (tmp_path / "a.svg").read_text())) == len(gids(ax, "node"))


def test_the_memory_comes_before_the_activation_and_the_output_behind_it() -> None:
    both = RecurrentCell((Step("a", "linear", (), "tanh"), Step("b", "multiply", ("a", "c"))), "a", "a")
    assert "c' · tanh · h'" in [text.get_text() for text in recurrent(both).texts]
