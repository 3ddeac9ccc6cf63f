"""`evonas export`: files where they are expected, one line where something is wrong."""

import builtins
from pathlib import Path
from typing import Any

import pytest

from evonas.cli import ExportFormat
from evonas.export import FORMATS
from tests.campaigns import written_spec
from tests.cli.commands import Command, refused

FAST = [name for name in FORMATS if name not in ("onnx", "pt2")]


def test_the_command_line_names_every_format() -> None:
    assert [format.value for format in ExportFormat] == list(FORMATS)


@pytest.mark.parametrize("format", FAST)
def test_a_file_goes_into_the_campaign_unless_it_is_named(
    format: str, evonas: Command, copy: Path, tmp_path: Path
) -> None:
    code, out, err = evonas("export", format, copy)
    assert (code, err) == (0, "")
    path = Path(out.removesuffix("\n"))
    assert path.parent == copy / "export"
    assert path.suffix == FORMATS[format].suffix
    named = tmp_path / "new/there"
    assert evonas("export", format, copy, "-o", named) == (0, f"{named}\n", "")
    assert named.read_bytes() == path.read_bytes()
    assert evonas("verify", copy)[0] == 0


@pytest.mark.parametrize("format", ["onnx", "pt2"])
def test_a_program_is_made_without_noise(format: str, evonas: Command, copy: Path) -> None:
    from evonas.campaign import Campaign

    best = Campaign.load(copy).best
    assert best is not None
    path = copy / "export" / f"{best.id}.{format}"
    assert evonas("export", format, copy) == (0, f"{path}\n", "")
    assert path.stat().st_size > 1000


def test_an_individual_is_named_by_its_number(evonas: Command, copy: Path) -> None:
    assert evonas("export", "genome", copy, 3) == (0, f"{copy / 'export/3.json'}\n", "")


def test_wrong_words_are_usage_errors(evonas: Command, copy: Path) -> None:
    refused(evonas("export", "tflite", copy), 2, "'tflite' is not one of 'genome', 'weights'")
    refused(evonas("export", "csv", copy, 3), 2, "csv: expected no individual's number, got 3")
    refused(evonas("export", "genome", copy, "best"), 2, "valid integer")
    assert evonas("export")[0] == 2


def test_what_is_not_there_is_a_missing_campaign(evonas: Command, copy: Path, tmp_path: Path) -> None:
    refused(evonas("export", "csv", tmp_path / "none"), 3, "expected a campaign's directory")
    refused(evonas("export", "dot", copy, 10), 3, "expected an individual from 0 to 9, got 10")
    refused(evonas("export", "dot", copy, "--", -1), 3, "expected an individual from 0 to 9, got -1")
    kept = {int(path.name.partition("-")[0]) for path in (copy / "weights").iterdir()}
    gone = next(id for id in range(10) if id not in kept)
    refused(evonas("export", "weights", copy, gone), 3, f"expected the weights of individual {gone}", str(max(kept)))


def test_damaged_weights_are_damage(evonas: Command, copy: Path) -> None:
    from evonas.campaign import Campaign

    best = Campaign.load(copy).best
    assert best is not None
    path = copy / "weights" / f"{best.id}-0.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    refused(evonas("export", "weights", copy), 4, "expected the recorded content, got another")


def test_a_file_that_cannot_be_written_is_one_line(evonas: Command, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(evonas("export", "csv", copy, "-o", tmp_path / "file/x.csv"), 2)
    refused(evonas("export", "csv", copy, "-o", tmp_path), 2)


@pytest.mark.parametrize("library", ["onnx", "onnxscript"])
def test_a_missing_library_says_how_to_get_it(
    library: str, evonas: Command, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    refused(evonas("export", "onnx", copy), 2, f"found no {library}", "pip install evonas[onnx]")


def test_without_a_best_there_is_nothing_to_write(evonas: Command, tmp_path: Path) -> None:
    spec = written_spec(tmp_path, evaluations=2, more="[evaluation]\nmax_parameters = 1\n")
    evonas("run", spec, "--out", tmp_path / "out", "-q")
    refused(evonas("export", "genome", tmp_path / "out"), 5, "no candidate succeeded")
    assert evonas("export", "csv", tmp_path / "out")[0] == 0


def test_a_task_of_ones_own_is_no_campaign_for_the_command_line(evonas: Command, tmp_path: Path) -> None:
    spec = tmp_path / "own.toml"
    spec.write_text('[task]\nname = "own"\ninput_shape = [4]\nn_outputs = 2\n')
    refused(evonas("run", spec, "--out", tmp_path / "out"), 2, "task own: ", "Campaign.by_hand")
    assert not (tmp_path / "out").exists()
    spec.write_text('[task]\nname = "own"\nn_outputs = 2\n')
    refused(evonas("run", spec), 2, "task.input_shape: missing; add it")
