"""From a spec to its search."""

from typing import TYPE_CHECKING, Any

from evonas.campaign.spec import Spec, SpecError
from evonas.campaign.store import StoreError
from evonas.record import Budget
from evonas.search import Context, EvolutionConfig, Search
from genomes.encoding import WEIGHTED, Encoding

if TYPE_CHECKING:
    from deap.base import Toolbox


def search_of(spec: Spec, encoding: Encoding[Any], toolbox: "Toolbox | None") -> Search:
    """A campaign's search at its start.

    Args:
        spec: The campaign's.
        encoding: Its encoding.
        toolbox: A user's DEAP operators; only evolution takes them.

    Raises:
        StoreError: If it needs a toolbox that was not given.
        SpecError: If it cannot use the encoding.
    """
    values = spec.objectives.values
    budgets = {
        inherits: Budget(0 if spec.untrained else spec.training.epochs_of(inherits=inherits))
        for inherits in (False, True)
    }
    context = Context(
        encoding,
        spec.seed,
        lambda evaluation: values(evaluation.metrics),
        budgets.__getitem__,
        spec.training.inherit and WEIGHTED not in encoding.abilities,
        spec.objectives.names if spec.objectives.several else (spec.objectives.label,),
    )
    if isinstance(spec.search, EvolutionConfig):
        try:
            return spec.search.build(context, toolbox)
        except ValueError as error:
            raise StoreError(f"toolbox: {error}") from None
    try:
        return spec.search.build(context)
    except ValueError as error:
        raise SpecError(f"search.name: {error}") from None


def with_operators(spec: Spec, toolbox: "Toolbox") -> Spec:
    """A spec that records the operators of a user's toolbox by name.

    Raises:
        SpecError: If the search takes none, or the toolbox has an operator of another name.
    """
    if not isinstance(spec.search, EvolutionConfig):
        raise SpecError(f"toolbox: expected the search evolution, got {spec.search.name}; only evolution runs on DEAP")
    from evonas.search.evolution import operators_of

    try:
        found = operators_of(toolbox)
    except ValueError as error:
        raise SpecError(f"toolbox: {error}") from None
    return spec.model_copy(update={"search": spec.search.model_copy(update={"operators": found})})
