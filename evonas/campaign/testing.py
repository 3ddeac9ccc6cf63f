"""Scoring on the test data, once a search is over."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from evonas.campaign.front import best_of
from evonas.campaign.spec import Spec
from evonas.campaign.store import Store
from evonas.evaluation.evaluator import Check
from evonas.record import COMPLETE, PENDING, Individual
from genomes.encoding import Genome

if TYPE_CHECKING:
    from evonas.evaluation import Inline, Population


def test_once(
    store: Store, spec: Spec, evaluator: "Inline | Population", genome: Callable[[Individual], Genome], check: Check
) -> None:
    """Score the best on the test data, once for each individual that ends a run as the best.

    Of a list, score every candidate once, when all are trained.

    Args:
        store: Open for writing; the fact `tested`, and of a list `tests`, are written.
        spec: The campaign's.
        evaluator: Scores.
        genome: Reads an individual's genome.
        check: Called before each candidate of a list; what it raises ends it.
    """

    def scores(one: Individual) -> dict[str, float]:
        weights = None if one.weights_sha256 is None else store.weights(one.id, needed=True)
        return evaluator.test(genome(one), weights)

    individuals = store.individuals()
    best = best_of(individuals, spec)
    if best is None or store.facts().get("tested", {}).get("id") == best.id:
        return
    if spec.listed is None:
        store.set_fact("tested", {"id": best.id, **scores(best)})
        return
    if sum(one.state != PENDING for one in individuals) < spec.listed.n_candidates:
        return
    tests = store.facts().get("tests", {})
    for one in individuals:
        if one.state == COMPLETE and str(one.id) not in tests:
            check()
            tests[str(one.id)] = scores(one)
            store.set_fact("tests", tests)
    store.set_fact("tested", {"id": best.id, **tests[str(best.id)]})
