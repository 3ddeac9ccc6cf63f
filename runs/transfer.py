"""Searched small, used large: a cell found on digits is rebuilt for larger images.

The cell of a campaign (`evonas run runs/digits_cells.toml`) is stacked with more cells and filters and trained from
scratch on Fashion-MNIST (28×28) and on CIFAR-10 (32×32, three channels), beside cells drawn at random and stacked and
trained alike. Each network is tested once.

    python runs/transfer.py runs/out/digits_cells

It can be stopped at any time; the same command goes on where it was.
"""

import argparse
import io
import json
import sys
from pathlib import Path

import numpy as np
import problems

from evonas.analysis.statistics import mean_interval
from evonas.campaign import Campaign, StoreError, retrain
from evonas.stream import stream
from genomes.encoding import uniform

N_TEST = 10_000
LARGE = {
    "encoding.n": 1,
    "encoding.filters": 12,
    "encoding.n_reductions": 2,
    "training.batch_size": 64,
    "training.flip": True,
    "training.shift": 2,
    "evaluation.max_macs": 100_000_000,
}
"""What the cell is stacked to, and how it is trained: minutes on a CPU, far from what a GPU would give it."""


HEAD = ["| cell | networks | test accuracy % | parameters | million MACs |", "| --- | ---: | ---: | ---: | ---: |"]


def fashion(out: Path, n: int) -> Path:
    """An `.npz` of Fashion-MNIST's first `n` training images and its first 10,000 test images, 28×28."""
    path = out / f"fashion28-{n}.npz"
    if path.is_file():
        return path
    arrays = problems.fashion_arrays()
    return problems.saved(path, arrays | {key: arrays[key][:n] for key in ("X_train", "y_train")})


def cifar(out: Path, n: int) -> Path:
    """An `.npz` of CIFAR-10's first `n` training images and its test images, 32×32, from JPEG of quality 75."""
    from PIL import Image

    path = out / f"cifar10-{n}.npz"
    if path.is_file():
        return path
    packed = np.load(problems.data_file("CIFAR10", "cifar10_jpeg_q75.npz"), allow_pickle=False)
    arrays = {}
    for part, n_part in (("train", n), ("test", N_TEST)):
        head, body, ends = packed["jpeg_header"].tobytes(), packed[f"{part}_jpeg"].tobytes(), packed[f"{part}_offsets"]
        images = [Image.open(io.BytesIO(head + body[ends[at] : ends[at + 1]])) for at in range(n_part)]
        arrays[f"X_{part}"] = np.stack([np.asarray(image) for image in images]).transpose(0, 3, 1, 2)
        arrays[f"y_{part}"] = packed[f"{part}_labels"][:n_part]
    return problems.saved(path, arrays)


def rivals(found: Campaign, n: int) -> list[str]:
    """Cells drawn at random from the space that the campaign searched."""
    encoding = found.spec.encoding
    drawn = [encoding.sample(uniform(rng := stream(at, "transfer")), rng=rng) for at in range(n)]
    return [json.dumps(encoding.to_json(genome)) for genome in drawn]


def accuracies(campaign: Campaign) -> list[float]:
    """Test accuracy of every network of a finished list."""
    return [float(scores["accuracy"]) for scores in campaign.facts["tests"].values()]


def compared(found: Campaign, data: Path, out: Path, repeats: int, epochs: int) -> list[str]:
    """A row for the found cell, and one for as many drawn ones."""
    assert found.best is not None
    changes = {**LARGE, "training.epochs": epochs, "task.path": str(data), "task.layout": "auto"}
    lines = []
    ours = retrain(found.directory, found.best.id, changes=changes, repeats=repeats, out=out / "found")
    drawn = retrain(found.directory, found.best.id, changes=changes, repeats=1, out=out / "drawn")
    genomes = tuple(rivals(found, repeats))
    search = drawn.spec.search.model_copy(update={"genomes": genomes})
    budget = drawn.spec.budget.model_copy(update={"evaluations": repeats})
    drawn.spec = drawn.spec.model_copy(update={"search": search, "budget": budget})
    for label, campaign in (("found on digits", ours), ("drawn at random", drawn)):
        campaign.run(observe=lambda done: print(f"{done.name}: {done.n_told} trained", file=sys.stderr, flush=True))
        accuracy = mean_interval(100 * value for value in accuracies(campaign))
        spread = float(np.std([100 * value for value in accuracies(campaign)], ddof=1)) if accuracy.n > 1 else 0.0
        sizes = [one.metrics for one in campaign.individuals if one.metrics]
        parameters, macs = (np.mean([size[name] for size in sizes]) for name in ("parameters", "macs"))
        lines.append(
            f"| {label} | {accuracy.n} | {accuracy.mean:.2f} ± {spread:.2f} | {parameters:,.0f} | {macs / 1e6:.1f} |"
        )
    return lines


def main(argv: list[str] | None = None) -> int:
    """Retrain what is missing and write the table; the exit code: 0, 2 without data, 3 without a campaign."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("campaign", type=Path, help="directory of a finished campaign of cells")
    options.add_argument("--repeats", type=int, default=3, help="networks a row")
    options.add_argument("--images", type=int, default=10_000, help="training images")
    options.add_argument("--epochs", type=int, default=10, help="passes over them")
    options.add_argument("--out", type=Path, help="folder of all that is recorded; else one in runs/out/studies")
    options.add_argument("--write", action="store_true", help="write the report to docs/studies, else under --out")
    chosen = options.parse_args(argv)
    out = (chosen.out or problems.OUT / "transfer").resolve()
    out.mkdir(parents=True, exist_ok=True)
    lines = ["# A cell found on digits, used on larger images", "", *(__doc__ or "").splitlines()[2:5], ""]
    try:
        found = Campaign.load(chosen.campaign)
        for name, data in (("Fashion-MNIST, 28×28", fashion), ("CIFAR-10 (JPEG), 32×32", cifar)):
            path = data(out, chosen.images)
            lines += [f"## {name}", "", f"{chosen.images:,} training images, {chosen.epochs} epochs.", "", *HEAD]
            lines += [*compared(found, path, out / f"{path.stem}-{chosen.epochs}", chosen.repeats, chosen.epochs), ""]
    except problems.DataError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 2
    except StoreError as error:
        print(error, file=sys.stderr)
        return 3
    folder = problems.PAGES if chosen.write else out
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "transfer.md"
    page.write_text("\n".join(lines).rstrip() + "\n", "utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
