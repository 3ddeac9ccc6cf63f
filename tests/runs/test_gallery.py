"""The gallery has every kind of picture, from specs that are specs."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from evonas import pictures
from evonas.campaign.spec import read

RUNS = Path(__file__).parents[2] / "runs"
DOCS = RUNS.parent / "docs"


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(RUNS))
    return importlib.import_module("gallery")


def test_every_kind_is_shown_and_on_the_page(gallery: ModuleType) -> None:
    assert {shown.kind for shown in gallery.GALLERY} == {*pictures.KINDS, "compare"}
    assert (DOCS / "gallery.md").read_text("utf-8") == gallery.page(Path("runs/out/gallery")), "python runs/gallery.py"
    images = [DOCS / "images" / "gallery" / f"{shown.kind}.png" for shown in gallery.GALLERY]
    assert sum(path.stat().st_size for path in images) < 1.5e6


def test_every_campaign_is_a_spec(gallery: ModuleType) -> None:
    for file, changes in gallery.CAMPAIGNS.values():
        read(RUNS / file, changes)
    assert {name.split("/")[0] for shown in gallery.GALLERY for name in shown.campaigns} == {*gallery.CAMPAIGNS}
