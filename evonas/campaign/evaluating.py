"""From a spec to its evaluator."""

from typing import TYPE_CHECKING

from evonas.campaign.spec import Spec
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
        return Population(spec.encoding, task, spec.evaluation, seed=spec.seed, screening=screening)
    return Inline(spec.encoding, task, spec.training, spec.evaluation, seed=spec.seed, screening=screening)
