"""Does inheritance pay? Does evolution?

Ageing evolution with inherited weights, the same without, random search on the same budget of epochs, and architectures
drawn at random and not selected, for each search space.

    python runs/inheritance.py --task digits --processes 2

It can be stopped at any time; the same command goes on where it was.
"""

import sys

import problems

LABELS = ("ageing-inheriting", "ageing-scratch", "random-search", problems.SAMPLING)

if __name__ == "__main__":
    sys.exit(problems.main("inheritance", __doc__, LABELS))
