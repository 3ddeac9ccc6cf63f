"""Python's garbage collector, which a large population keeps busy for nothing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold the collector back while many objects are made that are kept.

    It counts what is made and, time and again, goes through all there is: with 10,000 genomes it takes two fifths of
    the time of a generation, and finds nothing. Not to be held over a `yield`, or where others' code may take long.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
