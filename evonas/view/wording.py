"""Nodes and what changed in them, in few words."""

from collections import Counter
from collections.abc import Iterable

from evonas.analysis.changes import CONNECTION, Change
from genomes.architecture import Node
from genomes.operations import HEAD, OPERATIONS
from genomes.recurrence import RecurrentCell, Step

UNSAID = ("kernel", "stride", "path", "channels", "start")
"""Attributes that the name of a node already says, or that are no choice of its own."""
Sign = str
ADDED, REMOVED, CHANGED = "+", "−", "~"


def name_of(node: Node) -> str:
    """A node's operation with kernel, and stride where it is not 1: `conv 3×3 /2`."""
    settings = node.settings
    name = "output" if node.operation == HEAD else node.operation.replace("_", " ")
    if kernel := settings.get("kernel"):
        name += f" {kernel}×{kernel}"
    return f"{name} /{settings['stride']}" if settings.get("stride", 1) != 1 else name


def lines_of(change: Change) -> list[tuple[Sign, str]]:
    """What a change did, a line a kind of it: a sign and, most frequent first, what with how often.

    Nodes that only read others are told of where nothing else happened: a node that is put in or taken out rewires its
    neighbours.
    """
    texts = {
        ADDED: [_with_width(node) for node in change.added],
        REMOVED: [_with_width(node) for node in change.removed],
        CHANGED: [_difference(*pair) for pair in change.changed],
    }
    if not any(texts.values()):
        texts[CHANGED] = [_rewired(*pair) for pair in change.rewired]
    return [(sign, _counted(found)) for sign, found in texts.items() if found]


def signed(value: float, form: str = ".4g") -> str:
    """A number with a true minus."""
    return f"{value:{form}}".replace("-", "−")


def rounded(value: float, digits: int = 2) -> str:
    """A number of so many significant digits with a true minus, written out unless it is very large or small."""
    return signed(float(f"{value:.{digits}g}"), ".12g")


def shortened(text: str, longest: int) -> str:
    """A text of at most so many letters."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip(' ,')}…"


def _with_width(node: Node) -> str:
    operation = OPERATIONS.get(node.operation)
    width = node.settings.get("width") if operation and operation.parametric else None
    return f"{name_of(node)} ({width})" if width else name_of(node)


def _difference(before: Node, after: Node) -> str:
    if after.operation == CONNECTION:
        return "weight"
    if name_of(before) != name_of(after):
        return f"{name_of(before)} → {name_of(after)}"
    ours, theirs = before.settings, after.settings
    names = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    if "bias" in names and "bias" in before.settings:
        return f"{name_of(after)}: bias"
    said = [name for name in names if name not in UNSAID] or names
    parts = [_from_to(name, ours.get(name), theirs.get(name)) for name in said]
    return f"{name_of(after)}: {', '.join(parts)}"


def _from_to(name: str, before: object, after: object) -> str:
    if isinstance(before, RecurrentCell) and isinstance(after, RecurrentCell):
        return _in_cell(before, after)
    return f"{name} {_value(before)} → {_value(after)}"


def _in_cell(before: RecurrentCell, after: RecurrentCell) -> str:
    """What changed within a recurrent cell: each step that both have, then how many only one has."""
    ours, theirs = ({step.name: step for step in cell.steps} for cell in (before, after))
    shared = [(ours[name], step) for name, step in theirs.items() if name in ours and ours[name] != step]
    parts = [f"{new.name} {_step(old)} → {_step(new)}" for old, new in shared]
    more, less = len(theirs.keys() - ours.keys()), len(ours.keys() - theirs.keys())
    parts += [f"{n} {word}" for n, word in ((more, "steps more"), (less, "steps less")) if n]
    if before.memory != after.memory:
        parts.append(f"c from {after.memory or 'nowhere'}")
    return ", ".join(parts) or "the order of its steps"


def _step(step: Step) -> str:
    return step.operation if step.activation == "identity" else f"{step.operation} {step.activation}"


def _value(value: object) -> str:
    return "kept" if value == 0 else "none" if value is None else str(value)


def _rewired(before: Node, after: Node) -> str:
    if before.merge != after.merge and set(before.inputs) == set(after.inputs):
        return f"{name_of(after)}: {before.merge} → {after.merge}"
    more, less = (len(set(a.inputs) - set(b.inputs)) for a, b in ((after, before), (before, after)))
    parts = [f"{n} {word}" for n, word in ((more, "more"), (less, "less")) if n]
    return f"{name_of(after)}: reads {', '.join(parts) or 'in another order'}"


def _counted(texts: Iterable[str]) -> str:
    return ", ".join(text if n == 1 else f"{text} (× {n})" for text, n in Counter(texts).most_common())
