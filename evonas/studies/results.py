"""What a study has found so far, as rows: one a campaign."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.analysis.statistics import Curve, Interval, anytime, mean_interval
from evonas.campaign import Campaign, StoreError, best_of
from evonas.record import FAILED, PENDING, Individual
from evonas.studies.study import Arm, Study
from evonas.studies.work import is_done, retrained

POINTS = 200
"""Places at which progress is shown at most."""


@dataclass(frozen=True)
class Row:
    """What came of one arm on one seed.

    Attributes:
        arm: The arm's name.
        seed: The seed.
        evaluations: Candidates told, failures included; 0 without a search.
        failed: Those that failed.
        epochs: Passes over the training data that candidates were trained for.
        fitness: Of the selected network; None: no search.
        validation: Accuracy of the selected network on the validation data as the search left it; None: no search.
        test: The same on the test data.
        test_loss: Its mean cross-entropy there, in nats.
        retrained: Test accuracy after training from scratch by the final protocol.
        retrained_validation: Validation accuracy of that network.
        parameters: Trainable values of the selected network.
        seconds: Time of the search, wall clock.
        final_seconds: Time of the final training and test.
        curve: Fitness over epochs spent; None without a search.
    """

    arm: str
    seed: int
    evaluations: int
    failed: int
    epochs: int
    fitness: float | None
    validation: float | None
    test: float | None
    test_loss: float | None
    retrained: float
    retrained_validation: float
    parameters: int
    seconds: float
    final_seconds: float
    curve: Curve | None


def collect(study: Study) -> list[Row]:
    """The rows of all campaigns of a study that are done, seed by seed.

    Raises:
        StoreError: If a record is damaged.
    """
    return [_row(study, arm, seed) for arm, seed in study.runs() if _is_readable(study, arm, seed)]


def _is_readable(study: Study, arm: Arm, seed: int) -> bool:
    try:
        return is_done(study, arm, seed)
    except StoreError:
        if (study.directory(arm, seed) / "campaign.sqlite").exists():
            raise
        return False


def _row(study: Study, arm: Arm, seed: int) -> Row:
    directory = study.directory(arm, seed)
    last = retrained(directory)
    assert last is not None
    measured = (last.accuracy, last.validation_accuracy, last.parameters)
    if not arm.searches:
        return Row(arm.name, seed, 0, 0, 0, None, None, None, None, *measured, 0.0, last.seconds, None)
    campaign = Campaign.load(directory)
    told = [one for one in campaign.individuals if one.state != PENDING]
    best = best_of(told, campaign.spec)
    assert best is not None
    tested = campaign.facts["tested"]
    return Row(
        arm.name,
        seed,
        len(told),
        sum(one.state == FAILED for one in told),
        sum(one.epochs for one in told),
        best.fitness,
        best.metrics["accuracy"],
        tested["accuracy"],
        tested["loss"],
        *measured,
        max(one.elapsed for one in told),
        last.seconds,
        curve_of(told),
    )


def curve_of(individuals: Sequence[Individual]) -> Curve:
    """Fitness over the epochs that a campaign's candidates trained together."""
    spent = np.cumsum([one.epochs for one in individuals]).tolist()
    return Curve(spent, [np.nan if one.fitness is None else one.fitness for one in individuals])


def bands(rows: Iterable[Row], arms: Iterable[Arm]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Fitness of the best so far over epochs spent, the mean over seeds and its 95 % interval.

    Args:
        rows: Of a study.
        arms: Those to show, of one problem.

    Returns:
        The epochs, `(m,)`, to where the longest campaign ended; and for every label that has a curve `(3, m)`: mean,
        low, high. All NaN until every seed has a first success, low and high where there is one seed.
    """
    chosen = {arm.name: arm.label for arm in arms if arm.searches}
    curves: dict[str, list[Curve]] = {label: [] for label in chosen.values()}
    for row in rows:
        if row.arm in chosen and row.curve is not None:
            curves[chosen[row.arm]].append(row.curve)
    end = max((curve.spent[-1] for found in curves.values() for curve in found), default=0)
    grid = np.unique(np.linspace(0, end, min(POINTS, int(end) + 1)).round())
    found = {}
    for label, own in curves.items():
        if own:
            columns: list[Interval] = [mean_interval(column) for column in anytime(own, grid.tolist()).T]
            found[label] = np.array([column[:3] for column in columns]).T
    return grid, found
