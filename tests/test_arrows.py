"""Imports run downwards only: each layer and what it may import, held by reading every file."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

GENOMES = {"genomes"}
NETWORK = {*GENOMES, "record", "stream", "network"}
TRAINING = {*NETWORK, "tasks", "training"}
EVALUATION = {*TRAINING, "garbage", "evaluation"}
CAMPAIGN = {*EVALUATION, "search", "campaign"}
ANALYSIS = {*GENOMES, "record", "stream", "campaign", "analysis"}

MAY_IMPORT: dict[str, set[str]] = {
    "genomes": GENOMES,
    "record": {*GENOMES, "record"},
    "stream": {"stream"},
    "garbage": {"garbage"},
    "network": NETWORK,
    "tasks": {"record", "stream", "tasks"},
    "training": TRAINING,
    "evaluation": EVALUATION,
    "search": {*GENOMES, "record", "stream", "garbage", "search"},
    "campaign": CAMPAIGN,
    "analysis": ANALYSIS,
    "studies": {*CAMPAIGN, "analysis", "studies"},
    "view": {*GENOMES, "record", "analysis", "view"},
    "export": {*GENOMES, "record", "network", "tasks", "campaign", "export"},
    "sklearn": {*ANALYSIS, "network", "tasks", "sklearn"},
    "doctor": {*EVALUATION, "doctor"},
    "terminal": {*ANALYSIS, "terminal"},
    "pictures": {*ANALYSIS, "view", "pictures"},
    "commands": {*ANALYSIS, "evaluation", "view", "terminal", "pictures", "stopping", "commands"},
}
"""Ours, by layer: a package or module of `evonas`, or `genomes`."""

ONLY_IN: dict[str, set[str]] = {
    "torch": set(MAY_IMPORT) - {"genomes", "record", "stream", "garbage", "terminal", "pictures", "commands"},
    "deap": {"search"},
    "matplotlib": {"view"},
}
"""Libraries that some layers alone may import; others may name their types in annotations."""

LATE_ONLY = {("search", "torch"), ("search", "sklearn"), ("tasks", "torch")}
"""Layer and library where the import must stand inside a function."""

LATE_MODULES = {"evonas.search.policy": {"torch"}}
"""Modules that may load such a library with them, since every import of them stands inside a function."""

GENOMES_LIBRARIES = {"numpy", "networkx"}
CLI_LIBRARIES = {"typer"}
CLI = {"cli", "options", "stopping"}
FREE = {"__init__", "__main__", *CLI}
"""The package's face, and the command line, which may import all that it needs once a verb runs."""


LOADED, LATE, TYPING = "loaded", "late", "typing"
"""When an import runs: with its module, inside a function, or never, for the sake of annotations."""


def imports(path: Path, package: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    """The dotted names a file imports, with their lines and when they run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    times: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            times.update((id(child), LATE) for child in ast.walk(node))
        elif isinstance(node, ast.If) and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING":
            times.update((id(child), TYPING) for statement in node.body for child in ast.walk(statement))
    for node in ast.walk(tree):
        when = times.get(id(node), LOADED)
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, when) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{start}.{alias.name}", node.lineno, when) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            names = [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
            yield from ((str(name), node.lineno, when) for name in names)


def layer_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return parts[0] if parts[0] == "genomes" else parts[1]


def module_of(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts)


def is_within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def wrong(layer: str, module: str, name: str, when: str) -> str | None:
    """Why a module of a layer may not import a name, or None."""
    top, *rest = name.split(".")
    if when == LOADED and any(is_within(name, late) for late in LATE_MODULES):
        return "it has to stand inside a function"
    ours = top in ("evonas", "genomes")
    if layer in CLI:
        part = any(is_within(name, f"evonas.{module}") for module in CLI - {"cli"})
        light = part or top in CLI_LIBRARIES or top in sys.stdlib_module_names
        allowed = light or when != LOADED
        return None if allowed else "the command line imports the standard library and typer until a verb runs"
    if ours:
        goal = "genomes" if top == "genomes" else rest[0] if rest else "evonas"
        return None if layer in FREE or goal in MAY_IMPORT[layer] else f"{layer} may import {sorted(MAY_IMPORT[layer])}"
    if layer == "genomes" and top not in {*GENOMES_LIBRARIES, *sys.stdlib_module_names}:
        return f"genomes may import the standard library and {sorted(GENOMES_LIBRARIES)}"
    if layer not in ONLY_IN.get(top, {layer}) and when != TYPING:
        return f"{top} belongs to {sorted(ONLY_IN[top])}"
    late = (layer, top) in LATE_ONLY and top not in LATE_MODULES.get(module, ())
    return "it has to stand inside a function" if late and when == LOADED else None


def violations(root: Path) -> list[str]:
    found = []
    for path in sorted([*root.glob("genomes/**/*.py"), *root.glob("evonas/**/*.py")]):
        layer = layer_of(path, root)
        where = path.relative_to(root)
        if layer not in MAY_IMPORT and layer not in FREE:
            found.append(
                f"{where}: expected a layer among {sorted(MAY_IMPORT)}; give {layer} a place in tests/test_arrows.py"
            )
            continue
        for name, line, when in imports(path, where.parent.parts):
            if reason := wrong(layer, module_of(path, root), name, when):
                found.append(f"{where}:{line}: imports {name}; {reason}")
    return found


def test_imports_run_downwards() -> None:
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("genomes/dag.py", "import torch"),
        ("genomes/dag.py", "import scipy.stats"),
        ("genomes/deep/cell.py", "from deap import base"),
        ("genomes/dag.py", "def late():\n    from evonas.record import Proposal"),
        ("genomes/dag.py", "import importlib\nimportlib.import_module('torch')"),
        ("evonas/record.py", "from evonas.network import build"),
        ("evonas/record.py", "from evonas import network"),
        ("evonas/record.py", "import evonas"),
        ("evonas/stream.py", "import genomes"),
        ("evonas/network/build.py", "from evonas.tasks import digits"),
        ("evonas/network/build.py", "from ..training import loop"),
        ("evonas/tasks/digits.py", "import torch.utils.data"),
        ("evonas/tasks/digits.py", "import deap"),
        ("evonas/tasks/digits.py", "from evonas.training import loop"),
        ("evonas/training/loop.py", "async def late():\n    import evonas.evaluation"),
        ("evonas/training/loop.py", "import deap.tools"),
        ("evonas/evaluation/inline.py", "from evonas.search import random"),
        ("evonas/search/evolution.py", "from evonas.evaluation import inline"),
        ("evonas/search/controller.py", "import torch"),
        ("evonas/search/policy.py", "import sklearn.gaussian_process"),
        ("evonas/search/policies.py", "import torch"),
        ("evonas/search/controller.py", "from evonas.search.policy import Learner"),
        ("evonas/search/controller.py", "from evonas.search import policy"),
        ("evonas/search/controller.py", "from . import policy"),
        ("evonas/search/__init__.py", "from evonas.search.policy import Learner"),
        ("evonas/campaign/campaign.py", "import evonas.search.policy"),
        ("evonas/campaign/loop.py", "from evonas.analysis import lineage"),
        ("evonas/campaign/loop.py", "from deap import tools"),
        ("evonas/campaign/loop.py", "if TYPE_CHECKING:\n    from evonas.view import report"),
        ("evonas/campaign/loop.py", "if TYPE_CHECKING:\n    pass\nelse:\n    from deap import tools"),
        ("genomes/dag.py", "if TYPE_CHECKING:\n    import torch"),
        ("evonas/analysis/lineage.py", "from evonas.search import random"),
        ("evonas/analysis/lineage.py", "import matplotlib.pyplot"),
        ("evonas/view/genome.py", "from evonas.campaign import store"),
        ("evonas/view/genome.py", "lambda: __import__('deap')"),
        ("evonas/studies/study.py", "from evonas.view import report"),
        ("evonas/cli.py", "import numpy"),
        ("evonas/cli.py", "from evonas.campaign import loop"),
        ("evonas/cli.py", "if True:\n    import torch"),
        ("evonas/campaign/campaign.py", "def load():\n    from evonas.export import load"),
        ("evonas/campaign/campaign.py", "import evonas.sklearn"),
        ("evonas/export/tables.py", "from evonas.search import random"),
        ("evonas/export/graphs.py", "from evonas.view import boxes"),
        ("evonas/sklearn.py", "from evonas.search import random"),
        ("evonas/helpers.py", ""),
    ],
)
def test_an_arrow_upwards_is_found(file: str, source: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert len(violations(tmp_path)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "genomes/dag.py",
            "import math\nimport numpy as np\nfrom networkx import DiGraph\nfrom .operations import size",
        ),
        ("evonas/network/build.py", "import torch\nfrom genomes import Dag\nfrom . import operations"),
        ("evonas/training/loop.py", "from evonas.network import build\nfrom ..tasks.digits import load"),
        ("evonas/campaign/loop.py", "if TYPE_CHECKING:\n    from deap.base import Toolbox"),
        ("evonas/search/controller.py", "def ask():\n    import torch"),
        ("evonas/search/controller.py", "def ask():\n    from evonas.search.policy import Learner"),
        ("evonas/search/controller.py", "if TYPE_CHECKING:\n    from evonas.search.policy import Learner"),
        ("evonas/search/policy.py", "import torch\nfrom torch import nn\nfrom evonas.search.walk import Trace"),
        ("evonas/export/programs.py", "import torch\nfrom evonas.campaign import Campaign"),
        ("evonas/sklearn.py", "import sklearn.base\nfrom evonas.campaign import Campaign"),
        ("evonas/search/evolution.py", "from deap import tools\nfrom evonas.record import Proposal"),
        ("evonas/campaign/loop.py", "from evonas.evaluation import inline\nfrom evonas.search import random"),
        (
            "evonas/cli.py",
            "import json\nimport typer\ndef run():\n    import torch\n    from evonas.view import report",
        ),
    ],
)
def test_arrows_downwards_are_free(file: str, source: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert violations(tmp_path) == []


def test_nothing_loads_the_policies_with_itself() -> None:
    code = "import sys, evonas.campaign, evonas.cli; sys.exit('evonas.search.policy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120).returncode == 0
