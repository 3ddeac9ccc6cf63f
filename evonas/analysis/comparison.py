"""Several campaigns on one task, side by side."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from evonas.analysis.spending import Axis, spent
from evonas.analysis.statistics import Curve, anytime
from evonas.analysis.summary import best_fields, scores
from evonas.campaign import Campaign, SpecError
from evonas.campaign.opening import written

POINTS = 400
"""Places at which progress is shown at most."""
BESIDES = ("name", "seed", "budget", "control", "keep_best")
"""Fields of a spec in which campaigns may differ and still be repetitions of one search."""


def check_comparable(campaigns: Sequence[Campaign]) -> None:
    """Check that the results of campaigns mean the same.

    Raises:
        SpecError: Naming the first that has another task, or other objectives, than the first of all.
    """
    first = campaigns[0]
    for other in campaigns[1:]:
        pair = f"{other.directory} beside {first.directory}"
        if _task(first) != _task(other):
            names = [one.spec.about for one in (first, other)]
            expected, got = names if names[0] != names[1] else (f"{names[0]} with the same data and splits", "others")
            raise SpecError(f"{pair}: expected the task {expected}, got {got}; compare campaigns on one task")
        ours, theirs = (one.spec.objectives.label for one in (first, other))
        if _objectives(first) != _objectives(other):
            if ours == theirs:
                ours, theirs = (", ".join(one.spec.objectives.names) for one in (first, other))
            raise SpecError(
                f"{pair}: expected the objective {ours}, got {theirs}; compare campaigns with one objective"
            )


def labels(campaigns: Sequence[Campaign]) -> list[str]:
    """What each is called: its name, or its directory where others have that name too."""
    names = [campaign.spec.name for campaign in campaigns]
    return [
        name if names.count(name) == 1 else str(campaign.directory)
        for name, campaign in zip(names, campaigns, strict=True)
    ]


def rows(campaigns: Sequence[Campaign]) -> list[dict[str, Any]]:
    """A mapping for each campaign, in their order, all with the same keys; None where nothing succeeded."""
    return [_row(label, campaign) for label, campaign in zip(labels(campaigns), campaigns, strict=True)]


def _row(label: str, campaign: Campaign) -> dict[str, Any]:
    spec, score = campaign.spec, campaign.spec.kind.score
    told, _ = spent(campaign.individuals)
    best = best_fields(campaign) or {}
    return {
        "campaign": label,
        "directory": str(campaign.directory),
        "search": spec.search.name,
        "encoding": spec.encoding.name,
        "evaluations": len(told),
        "epochs": sum(one.epochs for one in told),
        "seconds": max((one.elapsed for one in told), default=0.0),
        "best": best.get("id"),
        **{name: best.get(name) for name in scores(spec)},
        f"test_{score}": best.get(f"test_{score}"),
        "parameters": best.get("parameters"),
    }


def bands(campaigns: Sequence[Campaign], axis: Axis = "evaluations") -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Fitness of the best so far over what was spent, one line for all campaigns that differ in their seed alone.

    Args:
        campaigns: Comparable ones.
        axis: What is counted as spent.

    Returns:
        Amounts `(m,)` to where the longest campaign ended; and by label `(3, m)`: the mean over seeds, the worst of
        them and the best. NaN before every one of them had a first success and from where the first of them has ended;
        worst and best also where there is one campaign.
    """
    groups: dict[str, list[int]] = {}
    for at, campaign in enumerate(campaigns):
        groups.setdefault(_repeated(campaign), []).append(at)
    curves = [_curve(campaign, axis) for campaign in campaigns]
    end = max((curve.spent[-1] for curve in curves if len(curve.spent)), default=0.0)
    grid = np.linspace(0, end, POINTS) if axis == "seconds" else np.unique(np.linspace(0, end, POINTS).round())
    named = _group_labels(campaigns, list(groups.values()))
    found = {
        label: _band([curves[at] for at in members], grid)
        for label, members in zip(named, groups.values(), strict=True)
    }
    return grid, found


def _group_labels(campaigns: Sequence[Campaign], groups: Sequence[Sequence[int]]) -> list[str]:
    """Names of groups, where several have one name directories, and how many seeds there are of each."""
    firsts = labels([campaigns[members[0]] for members in groups])
    return [
        label if len(members) == 1 else f"{label}, mean and range of {len(members)} seeds"
        for label, members in zip(firsts, groups, strict=True)
    ]


def _band(curves: Sequence[Curve], grid: np.ndarray) -> np.ndarray:
    """Mean and range of the best so far where all are known and none has ended, `(3, m)`."""
    values = anytime(curves, grid.tolist())
    values[:, grid > min(curve.spent[-1] if len(curve.spent) else 0.0 for curve in curves)] = np.nan
    ends = [values.min(0), values.max(0)] if len(curves) > 1 else [np.full(len(grid), np.nan)] * 2
    return np.array([values.mean(0), *ends])


def _curve(campaign: Campaign, axis: Axis) -> Curve:
    told, amounts = spent(campaign.individuals, axis)
    return Curve(amounts.tolist(), [np.nan if one.fitness is None else one.fitness for one in told])


def _task(campaign: Campaign) -> dict[str, Any]:
    """What a task is, wherever its data lie."""
    task = written(campaign.spec)["task"]
    return {**task, "path": None, "data": campaign.facts["fingerprint"]}


def _objectives(campaign: Campaign) -> dict[str, Any]:
    objectives: dict[str, Any] = written(campaign.spec)["objectives"]
    return {name: value for name, value in objectives.items() if name != "constraints"}


def _repeated(campaign: Campaign) -> str:
    fields = {name: value for name, value in written(campaign.spec).items() if name not in BESIDES}
    return json.dumps({**fields, "task": _task(campaign)}, sort_keys=True)
