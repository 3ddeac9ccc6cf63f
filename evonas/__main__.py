"""`python -m evonas` is the command `evonas`."""

from evonas.cli import main

main()
