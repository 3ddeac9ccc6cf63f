"""Is an evolved recurrent cell better than the LSTM, at equal parameters?

Evolution and random search look for a cell of Zoph & Le's space on the first characters of Tiny Shakespeare, each
candidate trained from scratch. The best cell of either, and the tanh RNN, the GRU and the LSTM in one layer of as many
parameters, are then trained alike, longer, with a learning rate chosen for each on the validation part from one grid,
and scored once on the test part, which nothing selects by.

    python runs/text.py

It can be stopped at any time; the same command goes on where it was.
"""

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import problems

from evonas.campaign import Campaign, SpecError
from evonas.record import COMPLETE, Individual
from evonas.tasks import DataError
from evonas.view import figure, recurrent
from genomes import Recurrent, RecurrentGenome
from genomes.recurrence import RecurrentCell
from genomes.recurrent.genome import MAX_WIDTH, Tree, grown

KNOWN = ("tanh", "gru", "lstm")
RATES = (0.003, 0.006, 0.012, 0.024)
TOLERANCE = 0.02
"""By so much of the evolved cell's parameters those of the others may differ."""
TRAINING: dict[str, Any] = {
    "optimizer": "adamw",
    "batch_size": 32,
    "window": 64,
    "weight_decay": 0.0,
    "schedule": "cosine",
    "clip": 1.0,
}
RATE_OF_SEARCH = 0.006
COLUMNS = 120
"""Of the page."""
SYMBOLS = {"tanh": "tanh", "sigmoid": "σ", "relu": "ReLU", "identity": ""}
MADE = {
    "linear": "W x + U h + b",
    "product": "(W x + b) ⊙ U h",
    "input": "W x + b",
    "state": "U h + b",
    "add": "{0} + {1}",
    "multiply": "{0} ⊙ {1}",
    "one_minus": "1 − {0}",
}


@dataclass(frozen=True)
class Result:
    """One cell, trained for good.

    Attributes:
        label: What it is called in the table.
        genome: What was trained.
        rate: The learning rate that validation chose.
        individuals: Its repeats.
        tests: Bits per character on the test part, one a repeat that did not fail.
    """

    label: str
    genome: RecurrentGenome
    rate: float
    individuals: tuple[Individual, ...]
    tests: tuple[float, ...]


def campaign(options: argparse.Namespace, name: str, search: dict[str, Any], *, seed: int, **training: Any) -> Campaign:
    """A campaign of the comparison, run to its end."""
    out = folder(options) / name
    found = Campaign(
        task={"name": "text", "path": str(problems.data_file(*DATA)), "characters": options.characters},
        encoding={"name": "recurrent", "widths": [options.width], "max_layers": 1},
        search=search,
        training={**TRAINING, "inherit": False, **training},
        evaluation={"device": "cpu"},
        budget={"evaluations": options.evaluations} if search["name"] != "listed" else {"evaluations": 1000},
        name="-".join(Path(name).parts[:2]),
        seed=seed,
    )
    if options.report_only and not out.is_dir():
        raise SpecError(f"{out}: expected a campaign to report, found none; run it first")
    if options.report_only:
        return Campaign.load(out)
    return found.run(out, observe=lambda done: print(f"{done.name}: {done.n_told}", file=sys.stderr, flush=True))


DATA = ("text", "tinyshakespeare.txt")


def folder(options: argparse.Namespace) -> Path:
    """Where all is recorded."""
    return Path(options.out or problems.OUT / "text").resolve()


def searched(options: argparse.Namespace) -> dict[str, Campaign]:
    """Both searches, on one budget."""
    searches = {"evolution": {"name": "evolution", "population": options.population}, "random": {"name": "random"}}
    training = {"epochs": options.search_epochs, "learning_rate": RATE_OF_SEARCH}
    return {name: campaign(options, name, search, seed=options.seed, **training) for name, search in searches.items()}


def rivals(best: RecurrentGenome, symbols: int) -> dict[str, RecurrentGenome]:
    """The known cells, each as wide as makes its parameters those of the best cell, to the nearest."""
    goal = size(best, symbols)
    found = {}
    for name in KNOWN:
        widths = (RecurrentGenome(name, (width,)) for width in range(1, MAX_WIDTH))
        sizes: list[tuple[int, RecurrentGenome]] = []
        for genome in widths:
            sizes.append((size(genome, symbols), genome))
            if sizes[-1][0] >= goal:
                break
        n, found[name] = min(sizes, key=lambda pair: abs(pair[0] - goal))
        if abs(n - goal) > TOLERANCE * goal:
            raise SpecError(f"{name}: expected a width of about {goal:,} parameters, got {n:,}; use another --width")
    return found


def size(genome: RecurrentGenome, symbols: int) -> int:
    """Parameters of a genome's network."""
    return Recurrent().develop(genome).n_parameters((symbols,), symbols)


def trained(options: argparse.Namespace, label: str, genome: RecurrentGenome) -> Result:
    """Choose a learning rate on validation, then train with other seeds and test."""
    listed = {"name": "listed", "genomes": [json.dumps(Recurrent().to_json(genome))]}
    scores: dict[float, float] = {}
    for rate in RATES:
        name = f"rates/{label}-{rate:g}"
        done = campaign(options, name, listed, seed=options.seed + 1, epochs=options.epochs, learning_rate=rate)
        scores[rate] = min((one.metrics["bits_per_character"] for one in done.individuals if one.metrics), default=99.0)
    rate = min(scores, key=lambda rate: scores[rate])
    search = {**listed, "repeats": options.repeats}
    done = campaign(
        options, f"final/{label}/{rate:g}", search, seed=options.seed + 2, epochs=options.epochs, learning_rate=rate
    )
    tests = tuple(float(one["bits_per_character"]) for one in done.facts.get("tests", {}).values())
    complete = tuple(one for one in done.individuals if one.state == COMPLETE)
    return Result(label, genome, rate, complete, tests)


def spread(values: Any) -> str:
    """Mean ± sample standard deviation."""
    found = [float(value) for value in values]
    if not found:
        return "–"
    return f"{np.mean(found):.3f} ± {np.std(found, ddof=1) if len(found) > 1 else 0.0:.3f}"


def equations(cell: RecurrentCell) -> list[str]:
    """A cell as lines `name = activation(what is computed)`."""
    lines = []
    for step in cell.steps:
        made = MADE[step.operation].format(*step.inputs)
        if step.name == cell.memory:
            lines.append(f"c' = {made}")
            made = "c'"
        symbol = SYMBOLS[step.activation]
        name = "h'" if step.name == cell.hidden else step.name
        lines.append(f"{name} = {f'{symbol}({made})' if symbol else made}")
    return lines


def page(options: argparse.Namespace, searches: Mapping[str, Campaign], results: list[Result]) -> list[str]:
    """The report as Markdown."""
    facts = searches["evolution"].facts
    symbols = int(facts["n_outputs"])
    goal = size(results[0].genome, symbols)
    lines = ["# An evolved recurrent cell on Tiny Shakespeare", "", *(__doc__ or "").splitlines()[2:7]]
    recipe = (
        f"The first {options.characters:,} characters, {symbols} symbols; 90 % to train, 5 % to validate, 5 % to test, "
        f"in this order. Base 8, one layer of {options.width} units, {goal:,} parameters; the others have as many to "
        f"{TOLERANCE:.0%}. Either search has {options.evaluations} candidates of {options.search_epochs} epoch(s) at a "
        f"learning rate of {RATE_OF_SEARCH:g}; evolution a population of {options.population}, the first of which are "
        f"also those of random search. Then {options.epochs} epochs, AdamW, {TRAINING['batch_size']} streams, windows "
        f"of {TRAINING['window']} characters, cosine schedule, learning rates "
        f"{', '.join(f'{rate:g}' for rate in RATES)}; {options.repeats} repeats with seeds of their own. ± is the "
        "sample standard deviation. The test part is read once for every network."
    )
    lines += [
        *textwrap.wrap(recipe, COLUMNS),
        "",
        "| cell | width | parameters | learning rate | validation bits/character | test bits/character | s/training |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in results:
        validation = spread(individual.metrics["bits_per_character"] for individual in one.individuals)
        seconds = np.mean([individual.seconds for individual in one.individuals]) if one.individuals else 0.0
        lines.append(
            f"| {one.label} | {one.genome.widths[0]} | {size(one.genome, symbols):,} | {one.rate:g} | {validation} | "
            f"{spread(one.tests)} | {seconds:.0f} |"
        )
    lines += ["", "## The searches", "", "| search | candidates | failed | best | mean of all |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for name, done in searches.items():
        values = [one.metrics["bits_per_character"] for one in done.individuals if one.metrics]
        failed = len(done.individuals) - len(values)
        lines.append(f"| {name} | {len(done.individuals)} | {failed} | {min(values):.3f} | {spread(values)} |")
    lines += ["", "In bits per character on the validation part.", ""]
    for one in results:
        if isinstance(one.genome.cell, Tree):
            lines += [f"## The cell: {one.label}", "", f"![{one.label}](text-{one.label}.png)", ""]
            lines += ["```text", *equations(grown(one.genome.cell)), "```", ""]
    return lines


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--characters", type=int, default=300_000, help="of the text that are used")
    options.add_argument("--width", type=int, default=48, help="units of the cells that are searched")
    options.add_argument("--evaluations", type=int, default=30, help="candidates of either search")
    options.add_argument("--population", type=int, default=8, help="of evolution")
    options.add_argument("--search-epochs", type=int, default=1, help="of a candidate")
    options.add_argument("--epochs", type=int, default=4, help="of a final training")
    options.add_argument("--repeats", type=int, default=3, help="final trainings of a cell")
    options.add_argument("--seed", type=int, default=0, help="of the searches; trainings take the two after it")
    options.add_argument("--out", type=Path, help="folder of all that is recorded; else one in runs/out/studies")
    options.add_argument("--report-only", action="store_true", help="run nothing, report what there is")
    options.add_argument("--write", action="store_true", help="write the report to docs/studies, else under --out")
    return options


def main(argv: list[str] | None = None) -> int:
    """Run what is missing and write the page; the exit code: 0, 2 without data or with a wrong spec, 130 stopped."""
    options = parser().parse_args(argv)
    try:
        searches = searched(options)
        best = {"evolved": searches["evolution"], "random-search": searches["random"]}
        genomes: dict[str, RecurrentGenome] = {}
        for label, done in best.items():
            assert done.best is not None
            genome = done.genome(done.best)
            assert isinstance(genome, RecurrentGenome)
            genomes[label] = genome
        genomes |= rivals(genomes["evolved"], int(searches["evolution"].facts["n_outputs"]))
        results = [trained(options, label, genome) for label, genome in genomes.items()]
    except (SpecError, DataError) as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped safely; the same command goes on.", file=sys.stderr)
        return 130
    place = problems.PAGES if options.write else folder(options)
    place.mkdir(parents=True, exist_ok=True)
    for one in results[: len(searches)]:
        figure.save(recurrent(one.genome.developed), place / f"text-{one.label}.png")
    path = place / "text.md"
    path.write_text("\n".join(page(options, searches, results)).rstrip() + "\n", "utf-8")
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
