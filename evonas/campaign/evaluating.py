"""From a spec to its evaluator."""

from typing import TYPE_CHECKING

from evonas.campaign.spec import Spec
from evonas.evaluation.measure import SIZES
from evonas.tasks import Task

if TYPE_CHECKING:
    from evonas.evaluation import Inline, Population


def evaluator_of(spec: Spec, task: Task) -> "Inline | Population":
    """The evaluator of a campaign: one candidate after another where they are trained, else many at once.

    Raises:
        ValueError: If the device does not exist.
    """
    from evonas.evaluation import Inline, Population

    screening = spec.objectives.screening
    if spec.untrained:
        needed = dict.fromkeys(spec.objectives.names, "an objective")
        if goal := spec.budget.goal:
            needed.setdefault(goal.metric, "which budget.until names")
        needed = {name: why for name, why in needed.items() if name not in SIZES}
        return Population(spec.encoding, task, spec.evaluation, seed=spec.seed, screening=screening, needed=needed)
    return Inline(spec.encoding, task, spec.training, spec.evaluation, seed=spec.seed, screening=screening)
