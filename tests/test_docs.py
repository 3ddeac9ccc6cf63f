"""What README and docs show runs as it stands."""

import importlib.util
import re
from pathlib import Path

import pytest

from evonas.campaign.spec import TEMPLATE, parse
from evonas.cli import app

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCKS = [(page.name, code) for page in PAGES for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.S)]


@pytest.mark.parametrize(("page", "code"), BLOCKS, ids=[f"{page}-{n}" for n, (page, _) in enumerate(BLOCKS)])
def test_a_python_block_runs(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {})
    assert page != "README.md" or any(tmp_path.iterdir())


def test_readme_shows_python() -> None:
    assert any(page == "README.md" for page, _ in BLOCKS)


def test_the_spec_page_is_made_from_the_models() -> None:
    spec = importlib.util.spec_from_file_location("make_spec", ROOT / "docs/make_spec.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs/spec.md").read_text() == module.reference(), "run: python docs/make_spec.py"


def test_readme_names_every_command_and_no_other() -> None:
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"^    evonas (\w+)", text, re.M)) | {"status", "list", "doctor"}
    assert all(f"`{word}`" in text or f"`evonas {word}`" in text for word in ("status", "list", "doctor"))
    assert named == {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }


@pytest.mark.parametrize("link", re.findall(r"(?:\]\(|src=\")([^)\"#]+)", (ROOT / "README.md").read_text()))
def test_readme_links_to_what_exists(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_spec_that_init_writes_is_one() -> None:
    assert parse(tomllib.loads(TEMPLATE.format(name="first"))).name == "first"


@pytest.mark.parametrize("path", sorted(ROOT.glob("runs/*.toml")), ids=lambda path: path.name)
def test_every_shipped_spec_is_one(path: Path) -> None:
    parse(tomllib.loads(path.read_text()), source=str(path))
