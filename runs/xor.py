"""NEAT on exclusive or, as in Stanley & Miikkulainen 2002, section 4.2.

python runs/xor.py                     # 100 seeds: about ten minutes of one core
python runs/xor.py --seeds 10 --set search.species_elitism=0
"""

import argparse
import sys
from pathlib import Path

import neat

from evonas.campaign.spec import change, read, value_of

CRITERIA = {"rounded outputs right": ("solved", 1.0), "neat-python's, fitness 3.9": ("squares", 3.9)}
PUBLISHED = "| published | 100 of 100 | 4,755 | 2,553 | 13,459 | 32 | 2.35 | 7.48 |"


def main(argv: list[str] | None = None) -> int:
    """Run the study and print its table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=100, help="runs")
    options.add_argument("--first", type=int, default=0, help="the first seed")
    options.add_argument("--generations", type=int, default=300, help="the cap of a run")
    options.add_argument("--processes", type=int, default=1, help="runs at once, each on one core")
    options.add_argument("--ablation", choices=sorted(neat.ABLATIONS), default="none", help="what is left out")
    options.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="replace a field of the spec"
    )
    given = options.parse_args(argv)
    spec = read(Path(__file__).with_name("xor.toml")).model_dump()
    change(spec, {name: value_of(value) for name, _, value in (one.partition("=") for one in given.set)})
    found = neat.over_seeds(
        spec,
        range(given.first, given.first + given.seeds),
        CRITERIA,
        n_generations=given.generations,
        ablation=neat.ABLATIONS[given.ablation],
        n_processes=given.processes,
    )
    print(neat.HEAD)
    print(PUBLISHED)
    for name in CRITERIA:
        print(neat.row(name, neat.figures([one.get(name) for one in found])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
