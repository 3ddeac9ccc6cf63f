"""What README and docs show runs as it stands."""

import importlib.util
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_iris

from evonas.campaign.spec import parse
from evonas.cli import STOPPED, app, main

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
BLOCKS = {page: BLOCK.findall(page.read_text("utf-8")) for page in PAGES}
SHOWN = {"text"}
"""Blocks that are no examples: what is printed."""


@pytest.fixture
def _handlers() -> Iterator[None]:
    """Commands handle signals: the handlers before are put back."""
    before = {number: signal.getsignal(number) for number in STOPPED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
@pytest.mark.parametrize("page", [page for page in PAGES if BLOCKS[page]], ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order and in one folder: Python in one namespace, commands, and specs, written where their first line says."""
    monkeypatch.chdir(tmp_path)
    _place_data(tmp_path)
    names: dict[str, Any] = {}
    for language, text in BLOCKS[page]:
        if language == "python":
            exec(compile(text, page.name, "exec"), names)
        elif language == "bash":
            _run(text)
        elif language == "toml":
            parse(tomllib.loads(text), source=page.name)
            if named := re.match(r"# ([\w.-]+\.toml)\n", text):
                (tmp_path / named[1]).write_text(text, "utf-8")
        else:
            assert language in SHOWN, f"{page.name}: expected python, bash, toml or one of {SHOWN}, got {language}"


def _run(commands: str) -> None:
    """Each line by itself, what begins with `evonas` in this process: a new one imports torch, for seconds."""
    for line in commands.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] == "evonas":
            with pytest.raises(SystemExit) as ended:
                main(words[1:])
            assert ended.value.code == 0, line
        elif words:
            subprocess.run(["bash", "-euo", "pipefail", "-c", line], check=True)


def _place_data(folder: Path) -> None:
    """A clone's specs, `flowers.csv` with the column `species`, and `photos` with a folder for each class."""
    (folder / "runs").mkdir()
    for spec in ROOT.glob("runs/*.toml"):
        shutil.copy(spec, folder / "runs")
    rng = np.random.default_rng(0)
    flowers = load_iris(as_frame=True)
    table = flowers.data.assign(species=flowers.target_names[flowers.target])
    table.to_csv(folder / "flowers.csv", index=False)
    for number, name in enumerate(("cats", "dogs")):
        (folder / "photos" / name).mkdir(parents=True)
        for index in range(20):
            image = rng.integers(0, 100, (20, 24, 3), dtype=np.uint8)
            image[:, :, number] += 100
            Image.fromarray(image).save(folder / "photos" / name / f"{index}.png")


def test_no_page_has_marks_of_a_conflict() -> None:
    assert not [page.name for page in PAGES if re.search(r"^(<<<<<<<|>>>>>>>)", page.read_text("utf-8"), re.M)]


def test_readme_shows_python_and_commands() -> None:
    assert {"python", "bash"} <= {language for language, _ in BLOCKS[ROOT / "README.md"]}


def test_the_spec_page_is_made_from_the_models() -> None:
    spec = importlib.util.spec_from_file_location("make_spec", ROOT / "docs/make_spec.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs/spec.md").read_text() == module.reference(), "run: python docs/make_spec.py"


def test_readme_names_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| (`evonas .*?) \|", (ROOT / "README.md").read_text("utf-8"), re.M)
    named = {word for row in rows for word in re.findall(r"`evonas (\w+)", row)}
    assert named == {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_links_to_what_exists(page: Path) -> None:
    links = re.findall(r"(?:\]\(|src=\")([^)\"#\s]+)", page.read_text("utf-8"))
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


@pytest.mark.parametrize("path", sorted(ROOT.glob("runs/*.toml")), ids=lambda path: path.name)
def test_every_shipped_spec_is_one(path: Path) -> None:
    parse(tomllib.loads(path.read_text()), source=str(path))
