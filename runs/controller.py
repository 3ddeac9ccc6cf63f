"""Does a learned policy beat chance? Does it beat evolution?

A recurrent controller trained by PPO (Zoph, Vasudevan, Shlens & Le 2018), random search and ageing evolution without
inheritance, all training candidates from scratch on the same budget of epochs. It shares its folder with
`runs/inheritance.py`: what either has run, the other reports.

    python runs/controller.py --task digits --processes 2
"""

import sys

import problems

LABELS = ("controller-ppo", "ageing-scratch", "random-search", problems.SAMPLING)

if __name__ == "__main__":
    sys.exit(problems.main("controller", __doc__, LABELS))
