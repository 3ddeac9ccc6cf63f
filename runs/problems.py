"""What the comparisons of this folder share: data, search spaces, sizes, arms, and their command line."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evonas.campaign import SpecError
from evonas.studies import Arm, Step, Study, bands, collect, report, run
from evonas.tasks import DataError
from evonas.tasks.idx import PUBLISHED, idx_arrays
from evonas.tasks.sources import located

ROOT = Path(__file__).parents[1]
OUT = ROOT / "runs" / "out" / "studies"
PAGES = ROOT / "docs" / "studies"
ENCODINGS = ("dag", "cell")
N_FASHION = 10_000
"""Images of Fashion-MNIST's training part that are used, in its own order; of its test part all."""

DAG = {
    "name": "dag",
    "operations": ["conv", "separable", "max_pool", "avg_pool", "identity"],
    "kernels": [3, 5],
    "normalisations": ["batch"],
    "widths": [8, 16, 24],
    "min_nodes": 3,
    "max_sampled": 7,
    "max_nodes": 10,
}
CELL = {
    "name": "cell",
    "space": "nasnet",
    # The 7×7 words are left out: on images of 8 and 14 pixels they cost much and see little but the border.
    "operations": [
        "identity",
        "conv_1x1",
        "conv_3x3",
        "sep_conv_3x3",
        "dil_sep_conv_3x3",
        "avg_pool_3x3",
        "max_pool_3x3",
    ],
    "n_blocks": 2,
    "n": 1,
    "filters": 8,
    "n_reductions": 1,
}
SPACES: dict[str, dict[str, Any]] = {"dag": DAG, "cell": CELL}
"""A few thousand to some ten thousand parameters, so that a hundred campaigns fit into an hour of one core."""
SIZES: dict[str, dict[str, Any]] = {
    "digits": {
        "seeds": 10,
        "budget": 210,
        "population": 14,
        "sample_size": 4,
        "epochs": 6,
        "inherited_epochs": 2,
        "final": 20,
        "max_macs": 1_000_000,
    },
    "fashion": {
        "seeds": 3,
        "budget": 44,
        "population": 8,
        "sample_size": 3,
        "epochs": 2,
        "inherited_epochs": 1,
        "final": 10,
        "max_macs": 2_000_000,
    },
}
"""Of a campaign: its budget in epochs, and those of a candidate from scratch, of an heir and of the last training."""


def data_places() -> list[Path]:
    """Folders of data sets: the one that EVONAS_DATA names, or `shared/data` beside or in the project."""
    known = os.environ.get("EVONAS_DATA")
    return [Path(known)] if known else [ROOT.parent / "shared" / "data", ROOT / "shared" / "data"]


def data_file(*parts: str) -> Path:
    """A file of one of these folders.

    Raises:
        DataError: If it is in none of them.
    """
    places = data_places()
    for place in places:
        if (path := place.joinpath(*parts)).is_file():
            return path
    looked = ", ".join(str(place) for place in places)
    raise DataError(
        f"expected {'/'.join(parts)} in {looked}, found none there; set EVONAS_DATA to the folder that holds {parts[0]}"
    )


def fashion_arrays() -> dict[str, np.ndarray]:
    """Fashion-MNIST's first training images and its whole test part, `(n, 28, 28)`, with their labels.

    Raises:
        DataError: If they are not at hand, or damaged.
    """
    place = next((place for place in data_places() if place.is_dir()), data_places()[0])
    arrays = idx_arrays("fashion_mnist", located(PUBLISHED["fashion_mnist"], str(place)))
    return arrays | {key: arrays[key][:N_FASHION] for key in ("X_train", "y_train")}


def saved(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """The path of an `.npz` file of these arrays, which appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.new.npz")
    np.savez_compressed(temporary, **arrays)
    temporary.rename(path)
    return path


def fashion(out: Path) -> Path:
    """An `.npz` of `fashion_arrays`, each 2×2 pixels averaged to one.

    The average stands for an early pool that all candidates would share: images are 14×14.
    """
    path = out / "fashion.npz"
    if path.is_file():
        return path
    arrays = fashion_arrays()
    for key in ("X_train", "X_test"):
        n, height, width = arrays[key].shape
        pooled = arrays[key].reshape(n, height // 2, 2, width // 2, 2).mean((2, 4), dtype=np.float32)
        arrays[key] = pooled[:, None]
    return saved(path, arrays)


def base(task: str, out: Path, epochs: int | None = None) -> dict[str, Any]:
    """The spec that all arms on a task begin from; `epochs` replaces the budget of a campaign."""
    size = SIZES[task]
    data = {"name": "digits"} if task == "digits" else _fashion_task(out)
    return {
        "task": data,
        "training": {
            "epochs": size["epochs"],
            "inherited_epochs": size["inherited_epochs"],
            "batch_size": 64,
            "label_smoothing": 0.1,
        },
        "evaluation": {"max_macs": size["max_macs"], "device": "cpu"},
        # On a few hundred validation images the loss is less noisy than accuracy.
        "objectives": {"minimize": ["loss"]},
        "budget": {"epochs": epochs or size["budget"]},
    }


def _fashion_task(out: Path) -> dict[str, Any]:
    return {"name": "arrays", "path": str(fashion(out).resolve()), "layout": "channels_first"}


def arms(task: str, encodings: Iterable[str], labels: Iterable[str]) -> tuple[Arm, ...]:
    """The arms of some labels, for each encoding."""
    ageing = {"name": "ageing", **{name: SIZES[task][name] for name in ("population", "sample_size")}}
    scratch = {"training.inherit": False, "training.inherited_epochs": None}
    known: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "ageing-inheriting": lambda encoding: {"search": ageing},
        "ageing-scratch": lambda encoding: {"search": ageing, **scratch},
        "random-search": lambda encoding: {"search": {"name": "random"}, **scratch},
        "random-sampling": lambda encoding: {"search": {"name": "random"}, **scratch},
        "controller-ppo": lambda encoding: {
            # Published: an update every 20 results, at a rate for thousands of them; here there are a few dozen.
            "search": {"name": "controller", "flavour": "nasnet", "batch": 5, "learning_rate": 0.0035},
            **scratch,
        },
    }
    return tuple(
        Arm(f"{name}/{label}", {"encoding": SPACES[name], **known[label](SPACES[name])}, label != SAMPLING)
        for name in encodings
        for label in labels
    )


SAMPLING = "random-sampling"


def parser(text: str, *, comparison: bool = True) -> argparse.ArgumentParser:
    """The options that all scripts have, and those of comparisons."""
    options = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--task", choices=sorted(SIZES), default="digits", help="what candidates are trained on")
    options.add_argument("--encodings", nargs="+", choices=ENCODINGS, default=ENCODINGS, help="search spaces")
    options.add_argument("--out", type=Path, help="folder of all that is recorded; else one in runs/out/studies")
    options.add_argument("--report-only", action="store_true", help="run nothing, report what there is")
    options.add_argument("--write", action="store_true", help="write the report to docs/studies, else under --out")
    if comparison:
        options.add_argument("--seeds", type=int, help="seeds an arm: 0 to N - 1; else the task's own number")
        options.add_argument("--processes", type=int, default=1, help="campaigns at once, each on one core")
        options.add_argument("--epochs", type=int, help="budget of a campaign in epochs; else the task's own number")
    return options


def study_of(name: str, options: argparse.Namespace, labels: Iterable[str]) -> Study:
    """The study that a command line asks for.

    Raises:
        DataError: If its data are not here.
    """
    size = SIZES[options.task]
    out = (options.out or OUT / options.task).resolve()
    return Study(
        f"{name} on {options.task}",
        base(options.task, out, options.epochs),
        arms(options.task, options.encodings, labels),
        tuple(range(options.seeds or size["seeds"])),
        out,
        {"epochs": size["final"]},
        "random-search",
    )


def told(step: Step) -> None:
    """Print one line about a campaign that ended."""
    end = f"FAILED: {step.error}" if step.error else f"{step.seconds:.0f} s"
    print(f"[{step.n_done}/{step.n_all}] {step.arm}, seed {step.seed}: {end}", file=sys.stderr, flush=True)


def main(name: str, text: str, labels: Iterable[str], argv: list[str] | None = None) -> int:
    """Run a comparison and write its report.

    Returns:
        The exit code: 0; 1 if a campaign failed; 2 without data or with a wrong spec; 130 if it was stopped.
    """
    options = parser(text).parse_args(argv)
    try:
        study = study_of(name, options, labels)
    except (DataError, SpecError) as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 2
    failed: list[Step] = []
    code = 0
    if not options.report_only:
        try:
            failed = run(study, options.processes, watch=told)
        except KeyboardInterrupt:
            print("Stopped safely; the same command goes on.", file=sys.stderr)
            code = 130
    print(written(study, f"{name}-{options.task}", PAGES if options.write else study.out))
    return code or int(bool(failed))


def written(study: Study, name: str, folder: Path) -> Path:
    """Write the report and its pictures; the path of the text."""
    # Late: every worker process imports this file, and none draws.
    from evonas.view import figure
    from evonas.view.anytime import anytime

    folder.mkdir(parents=True, exist_ok=True)
    rows = collect(study)
    pictures = []
    for problem in study.problems:
        title = f"{study.name}, {problem}"
        label = study.spec(study.arms[0], study.seeds[0]).objectives.label
        ax = anytime(*bands(rows, study.arms_of(problem)), measured=f"fitness of the best so far: {label}", title=title)
        # A page needs one picture; the vectors lie beside the record.
        for suffix in (".png",) if folder == PAGES else figure.SUFFIXES:
            figure.save(ax, folder / f"{name}-{problem}{suffix}")
        pictures.append((problem, f"{name}-{problem}.png"))
    path = folder / f"{name}.md"
    path.write_text(report(study, rows, pictures=pictures), "utf-8")
    return path
