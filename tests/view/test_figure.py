import ast
import subprocess
import sys
from pathlib import Path

import pytest

from evonas.view import figure, lineage, progress, save

ROOM = Path(figure.__file__).parent


@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
@pytest.mark.parametrize("draw", [lineage, progress])
def test_a_picture_is_the_same_bytes_each_time(campaign, tmp_path, monkeypatch, draw, suffix, begins):
    told = campaign(80, 1)
    axes = draw(told)
    first = save(axes, tmp_path / f"first.{suffix}").read_bytes()
    assert first == save(axes, tmp_path / f"second.{suffix}").read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert first == save(draw(told), tmp_path / f"third.{suffix}").read_bytes()
    assert first.startswith(begins)


def test_a_png_is_a_png_and_the_path_is_returned(campaign, tmp_path):
    path = tmp_path / "a.PNG"
    assert save(progress(campaign(30, 1)), str(path)) == path
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_mode & 0o444 == 0o444


@pytest.mark.parametrize("name", ["a.eps", "a", "a.svg.gz"])
def test_another_suffix_is_refused(campaign, tmp_path, name):
    with pytest.raises(ValueError, match=r"expected a suffix among \.png, \.svg, \.pdf, got .*" + name):
        save(progress(campaign(30, 1)), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_picture_that_fails_leaves_the_old_file_and_nothing_else(campaign, tmp_path, monkeypatch):
    path = tmp_path / "a.svg"
    path.write_text("old")
    ax = progress(campaign(30, 1))

    def fail(name, **_):
        Path(name).write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(ax.get_figure(), "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        save(ax, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_with_dollars_and_signs_is_written_as_it_is(individual, tmp_path):
    told = [individual(0, fitness=0.1), individual(1, fitness=0.2, parents=(0,), operator="a$^^$ × ⊕")]
    save(lineage(told), tmp_path / "a.png")


def test_the_room_draws_without_pyplot_torch_deap_or_a_campaign():
    forbidden = ("matplotlib.pyplot", "torch", "deap", "evonas.campaign")
    code = f"import sys, evonas.view; print([m for m in {forbidden} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOM.parents[1])
    assert done.stdout.strip() == "[]"
    for file in ROOM.glob("*.py"):
        for item in ast.walk(ast.parse(file.read_text())):
            names = [item.module or ""] if isinstance(item, ast.ImportFrom) else []
            names += [alias.name for alias in item.names] if isinstance(item, ast.Import) else []
            assert not [n for n in names if n.startswith(forbidden)], file


def test_the_floor_is_the_lowest_value_unless_that_is_far_below_the_middle_half():
    assert figure.floor([1.0, 2.0, 3.0, float("nan")]) == 1.0
    values = [-100.0, *range(10)]
    assert figure.floor(values) == pytest.approx(1.5 - 3 * 5.0)
    assert figure.floor(values, [-40.0, float("nan")]) == -40.0
    assert figure.floor([0.5]) == 0.5
