"""A campaign as its user sees it: made from a spec or from Python objects, run, loaded, looked at."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.campaign.front import front_of
from evonas.campaign.loop import Loop, Observe
from evonas.campaign.opening import fitted, opened
from evonas.campaign.source import Source
from evonas.campaign.source import read as read_source
from evonas.campaign.source import write as write_source
from evonas.campaign.spec import CampaignBudget, Spec, SpecError, parse
from evonas.campaign.store import DATABASE, Store, StoreError
from evonas.evaluation.evaluator import Check, Legacy
from evonas.record import COMPLETE, PENDING, Budget, Individual, Proposal
from evonas.search import Context, Controller, ControllerConfig, EvolutionConfig, Search
from evonas.tasks import Arrays, from_arrays
from genomes import Architecture
from genomes.encoding import Encoding, Genome
from genomes.reading import read_genome

if TYPE_CHECKING:
    from deap.base import Toolbox

    from evonas.evaluation import Inline
    from evonas.network import Network

CONTROL = "control"


class Campaign:
    """A search for networks on a task, under a budget, on record.

    Args:
        task: The word for a task, a mapping as in a spec, or arrays `(X, y)` as `evonas.tasks.from_arrays` takes them.
        encoding: The word for an encoding, a mapping, or an encoding.
        search: The word for a search, a mapping, or its configuration.
        toolbox: A DEAP toolbox whose operators replace those of the search `evolution`.
        **fields: The other fields of `evonas.campaign.spec.Spec`: name, seed, training, evaluation, objectives, budget,
            control, keep_best.

    Raises:
        SpecError: If a field is unknown or wrong.
    """

    def __init__(
        self,
        task: Any = "digits",
        encoding: Any = "dag",
        search: Any = "evolution",
        *,
        toolbox: "Toolbox | None" = None,
        **fields: Any,
    ) -> None:
        self._arrays: tuple[Any, Any] | None = None
        if isinstance(task, tuple):
            if len(task) != 2:
                raise SpecError(f"task: expected arrays (X, y), got a tuple of {len(task)}; give two")
            self._arrays = task
            task = {"name": "arrays", "path": "data.npz"}
        self.spec = parse({"task": task, "encoding": encoding, "search": search, **fields})
        self._toolbox = toolbox
        if toolbox is not None:
            self.spec = _with_operators(self.spec, toolbox)
        self._directory: Path | None = None
        self._source: tuple[Source, bytes] | None = None

    @classmethod
    def of(cls, spec: Spec, *, directory: Path | None = None, source: tuple[Source, bytes] | None = None) -> "Campaign":
        """A campaign of a finished spec.

        Args:
            spec: The spec.
            directory: Where it is, or will be, recorded; None: runs/out/NAME.
            source: The network that its candidates begin with and its weights, of which a new record gets a copy.
        """
        campaign = cls.__new__(cls)
        campaign.spec, campaign._directory, campaign._source = spec, directory, source
        campaign._toolbox = campaign._arrays = None
        return campaign

    @classmethod
    def load(cls, directory: str | Path, *, toolbox: "Toolbox | None" = None) -> "Campaign":
        """A campaign from its directory, running or finished.

        Raises:
            StoreError: If there is none or it cannot be read.
        """
        path = Path(directory)
        store = Store.open(path)
        try:
            campaign = cls.of(parse(store.facts()["spec"], source=str(path)), directory=path)
        except (KeyError, SpecError) as error:
            raise StoreError(f"{path}: expected the record of a spec, got none that can be read ({error})") from None
        finally:
            store.close()
        campaign._toolbox = toolbox
        return campaign

    def run(
        self, out: str | Path | None = None, *, observe: Observe = lambda progress: None, check: Check = lambda: None
    ) -> "Campaign":
        """Run to the end of the budget, from where an earlier run stopped; then test the best once and run the control.

        A listed campaign tests each of its candidates once, when all are trained: nothing is chosen by it.

        Args:
            out: The campaign's directory; None: the one it was loaded from, or runs/out/NAME.
            observe: Called with the progress after every result.
            check: Called before every training step; what it raises ends the run. Nothing acknowledged is lost.

        Returns:
            The campaign itself.

        Raises:
            StoreError: If the directory holds another campaign, or another process runs it.
            SpecError: If encoding, device and task do not fit each other.
            DataError: If the data cannot be used.
            OSError: If the directory cannot be written.
        """
        from evonas.evaluation import Inline

        directory = Path(out) if out is not None else self._directory or Path("runs/out") / self.spec.name
        self._place_arrays(directory)
        task = self.spec.task.load()
        self.spec = fitted(self.spec, task)
        encoding = self.spec.encoding
        try:
            evaluator = Inline(
                encoding,
                task,
                self.spec.training,
                self.spec.evaluation,
                seed=self.spec.seed,
                screening=self.spec.objectives.screening,
            )
        except ValueError as error:
            raise SpecError(f"evaluation.{error}") from None
        if self._source is not None and not (directory / DATABASE).exists():
            write_source(directory, *self._source)
        store = opened(directory, self.spec, task)
        self._directory = directory
        try:
            search = self.search(encoding)
            loop = Loop(self.spec, encoding, store, search, evaluator, source=self._left, observe=observe, check=check)
            loop.run()
            self._test_once(store, evaluator, check)
            budget = _spent(store, self.spec)
        finally:
            store.close()
        if self.spec.control == "random":
            Campaign.of(self.spec.of_control(budget)).run(directory / CONTROL, observe=observe, check=check)
        return self

    @property
    def directory(self) -> Path:
        """Where the campaign is recorded.

        Raises:
            StoreError: If it was neither run nor loaded.
        """
        if self._directory is None:
            raise StoreError("expected a campaign that was run or loaded, got a new one; call run() first")
        return self._directory

    @property
    def facts(self) -> dict[str, Any]:
        """What the record says of the whole: `spec`, `versions`, `fingerprint`, `files`, `classes`, `tested`, ….

        Of a list, `tests` has the scores on the test data by the number of the individual, as text.
        """
        with closing(Store.open(self.directory)) as store:
            return store.facts()

    @property
    def individuals(self) -> list[Individual]:
        """Every individual in the order of its number."""
        with closing(Store.open(self.directory)) as store:
            return store.individuals()

    @property
    def best(self) -> Individual | None:
        """The individual of the highest fitness, among equals the one of the lowest loss; None if none succeeded.

        With several objectives, the first of them is the fitness, those to maximise before those to minimise.
        """
        return best_of(self.individuals, self.spec)

    @property
    def front(self) -> list[Individual]:
        """The individuals that no other dominates, the best of the first objective first; see `front_of`."""
        return front_of(self.individuals, self.spec.objectives)

    @property
    def control(self) -> "Campaign | None":
        """The random search that was given the same budget, if there is one."""
        path = self.directory / CONTROL
        return Campaign.load(path) if self.spec.control != "none" and path.is_dir() else None

    @property
    def likeliest(self) -> Genome | None:
        """What a controller's policy would make by its likeliest choices, evaluated or not; None for other searches.

        Raises:
            StoreError: If the log is damaged.
        """
        if not isinstance(self.spec.search, ControllerConfig):
            return None
        search = self.search(self.spec.encoding)
        assert isinstance(search, Controller)
        with closing(Store.open(self.directory)) as store:
            for event in store.events(self.spec.encoding):
                search.recall([event]) if isinstance(event, Proposal) else search.tell([event])
        return search.likeliest()

    def lifespans(self) -> dict[int, int | None]:
        """How long the search kept each individual as a possible parent, as the fold over the log tells.

        Returns:
            By the number of every individual told: the number of the youngest individual when the search ceased to keep
            it, its own where it was never kept; None where it is kept at the log's end.

        Raises:
            StoreError: If the log is damaged, or the search needs a toolbox that was not given.
        """
        search = self.search(self.spec.encoding)
        ends: dict[int, int | None] = {}
        kept: set[int] = set()
        youngest = 0
        with closing(Store.open(self.directory)) as store:
            for event in store.events(self.spec.encoding):
                if isinstance(event, Proposal):
                    search.recall([event])
                    youngest = max(youngest, event.id)
                    continue
                search.tell([event])
                ends[event.id] = event.id
                now = search.keeps()
                ends |= dict.fromkeys(now - kept) | dict.fromkeys(kept - now, youngest)
                kept = now
        return ends

    def genome(self, one: Individual) -> Genome:
        """An individual's genome.

        Raises:
            StoreError: If its text is none.
        """
        try:
            return read_genome(self.spec.encoding, one.genome)
        except ValueError as error:
            reason = f"individual {one.id}: its genome cannot be read ({error})"
            raise StoreError(f"{self.directory}: {reason}; put back a copy") from None

    def architecture(self, one: Individual) -> Architecture:
        """What an individual's genome develops into.

        Raises:
            StoreError: If it has none.
        """
        return self.spec.encoding.develop(self.genome(one))

    def network(self, individual: int) -> "Network":
        """An individual's trained network on the CPU, in evaluation mode, as an `nn.Module`.

        Raises:
            StoreError: If there is no such individual or its weights were not kept.
        """
        import safetensors.torch

        from evonas.network import Network

        with closing(Store.open(self.directory)) as store:
            found = {one.id: one for one in store.individuals()}
            if individual not in found:
                raise StoreError(
                    f"{self.directory}: expected an individual's number, got {individual}; see `evonas show`"
                )
            weights, facts = store.weights(individual), store.facts()
        network = Network(self.architecture(found[individual]), tuple(facts["input_shape"]), facts["n_outputs"])
        network.load_state_dict(safetensors.torch.load(weights))
        return network.eval()

    def _place_arrays(self, directory: Path) -> None:
        """Keep a user's arrays beside the record, so that the campaign can be resumed without its script."""
        if self._arrays is None:
            return
        path = (directory / "data.npz").absolute()
        assert isinstance(self.spec.task, Arrays)
        self.spec = self.spec.model_copy(update={"task": self.spec.task.model_copy(update={"path": str(path)})})
        X, y = (np.asarray(values) for values in self._arrays)
        task = from_arrays(X, y)
        if (directory / DATABASE).exists():
            if self.spec.task.load().fingerprint != task.fingerprint:
                raise StoreError(
                    f"{directory}: expected the arrays it was begun with, got others; choose another directory"
                )
            return
        directory.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name("data.new.npz")
        np.savez(temporary, X=X, y=y.astype(str) if y.dtype == object else y)
        temporary.rename(path)

    def _left(self) -> Legacy:
        assert self.spec.listed is not None
        assert self.spec.listed.source is not None
        return read_source(self.directory, self.spec.listed.source)

    def search(self, encoding: Encoding[Any]) -> Search:
        """The campaign's search at its start.

        Raises:
            StoreError: If it needs a toolbox that was not given.
            SpecError: If it cannot use the encoding.
        """
        spec = self.spec
        context = Context(
            encoding,
            spec.seed,
            lambda evaluation: spec.objectives.values(evaluation.metrics),
            lambda inherits: Budget(spec.training.epochs_of(inherits=inherits)),
            spec.training.inherit,
            spec.objectives.names if spec.objectives.several else (spec.objectives.label,),
        )
        if isinstance(spec.search, EvolutionConfig):
            try:
                return spec.search.build(context, self._toolbox)
            except ValueError as error:
                raise StoreError(f"toolbox: {error}") from None
        try:
            return spec.search.build(context)
        except ValueError as error:
            raise SpecError(f"search.name: {error}") from None

    def _test_once(self, store: Store, evaluator: "Inline", check: Check) -> None:
        """Score the best on the test data, once for each individual that ends a run as the best.

        Of a list, score every candidate once, when all are trained.
        """
        individuals = store.individuals()
        best = best_of(individuals, self.spec)
        if best is None or store.facts().get("tested", {}).get("id") == best.id:
            return
        if self.spec.listed is None:
            store.set_fact("tested", {"id": best.id, **self._scores(best, store, evaluator)})
            return
        if sum(one.state != PENDING for one in individuals) < self.spec.listed.n_candidates:
            return
        tests = store.facts().get("tests", {})
        for one in individuals:
            if one.state == COMPLETE and str(one.id) not in tests:
                check()
                tests[str(one.id)] = self._scores(one, store, evaluator)
                store.set_fact("tests", tests)
        store.set_fact("tested", {"id": best.id, **tests[str(best.id)]})

    def _scores(self, one: Individual, store: Store, evaluator: "Inline") -> dict[str, float]:
        return evaluator.test(self.genome(one), store.weights(one.id, needed=True))


def best_of(individuals: list[Individual], spec: Spec) -> Individual | None:
    """The individual that a spec ranks highest, None if none is complete."""
    complete = [one for one in individuals if one.state == COMPLETE]
    return max(complete, key=lambda one: spec.rank(one.id, one.metrics), default=None)


def _spent(store: Store, spec: Spec) -> CampaignBudget:
    """What a campaign spent, as the budget of its control: the same seconds if it has a limit of them, else epochs."""
    if spec.budget.seconds is not None:
        return CampaignBudget(seconds=max(store.elapsed(), 1.0))
    return CampaignBudget(epochs=max(1, sum(one.epochs for one in store.individuals())))


def _with_operators(spec: Spec, toolbox: "Toolbox") -> Spec:
    if not isinstance(spec.search, EvolutionConfig):
        raise SpecError(f"toolbox: expected the search evolution, got {spec.search.name}; only evolution runs on DEAP")
    from evonas.search.evolution import operators_of

    return spec.model_copy(update={"search": spec.search.model_copy(update={"operators": operators_of(toolbox)})})
