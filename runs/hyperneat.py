"""HyperNEAT on digits in its three modes, at equal wall time: weights evolved, painted at first, or trained through.

    python runs/hyperneat.py                      # five seeds, a minute each: a quarter of an hour
    python runs/hyperneat.py --seeds 2 --seconds 20

Campaigns are recorded in runs/out/hyperneat, in turns, so that what else the machine does meets all modes alike; the
same command goes on where it was stopped. It prints the table of docs/studies/hyperneat.md.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from evonas.analysis.statistics import mean_interval
from evonas.campaign import Campaign
from evonas.campaign.spec import change, parse, read

OUT = Path("runs/out/hyperneat")
MODES: dict[str, dict[str, Any]] = {
    "evolved": {"search.name": "speciated", "search.population": 100, "search.threshold": 1.0, "search.lag": 100},
    "seeded": {"training.inherited_epochs": 4},
    "through": {"training.learning_rate": 0.02},
}
"""What a mode is given beside `runs/digits_hyperneat.toml`: one that trains nothing can afford more candidates."""
COMMON = {"encoding.cppn.max_sampled": 12, "task.name": "digits"}


def campaign(mode: str, seed: int, seconds: float) -> Campaign:
    """One run: its spec is the shipped one, but for the mode, the seed and the time."""
    spec = read(Path(__file__).with_name("digits_hyperneat.toml")).model_dump(mode="json", exclude_none=True)
    spec["encoding"] = {name: value for name, value in spec["encoding"].items() if value is not None}
    if "search.name" in MODES[mode]:
        spec["search"] = {}
    fields = {"name": f"{mode}-{seed}", "seed": seed, "encoding.mode": mode, **COMMON, **MODES[mode]}
    change(spec, fields)
    return Campaign.of(parse({**spec, "budget": {"seconds": seconds}}), directory=OUT / f"{mode}-{seed}")


def row(mode: str, campaigns: list[Campaign]) -> str:
    """A line of the table."""
    told = [[one for one in found.individuals if one.state == "complete"] for found in campaigns]
    accuracies = [100 * found.facts["tested"]["accuracy"] for found in campaigns]
    mean, low, high, _ = mean_interval(accuracies)
    each = ", ".join(f"{value:.1f}" for value in accuracies)
    evaluations = sum(map(len, told)) / len(told)
    return f"| {mode} | {evaluations:,.0f} | {mean:.1f} [{low:.1f}, {high:.1f}] | {each} |"


def main(argv: list[str] | None = None) -> int:
    """Run what is missing and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=5, help="runs of each mode")
    options.add_argument("--seconds", type=float, default=60.0, help="time of each run")
    given = options.parse_args(argv)
    found: dict[str, list[Campaign]] = {mode: [] for mode in MODES}
    for seed in range(given.seeds):
        for mode in MODES:
            found[mode].append(campaign(mode, seed, given.seconds).run())
            print(f"{mode} {seed}: {found[mode][-1]}", file=sys.stderr)
    print("| mode | candidates | test accuracy, mean [95 %] | each |\n|---|---|---|---|")
    for mode, campaigns in found.items():
        print(row(mode, campaigns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
