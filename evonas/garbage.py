"""Python's garbage collector, which a large population keeps busy for nothing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold the collector back while many objects are made that are kept.

    It counts what is made and, time and again, goes through all there is, and finds nothing: held back, it leaves a
    generation of 10,000 genomes a seventh of its time. Not to be held over a `yield`, nor over others' code.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
