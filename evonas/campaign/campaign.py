"""A campaign as its user sees it: made from a spec or from Python objects, run, loaded, looked at."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.campaign.arrays import placed, taken
from evonas.campaign.callbacks import Callbacks, OnGeneration, OnTold
from evonas.campaign.evaluating import evaluator_of
from evonas.campaign.front import best_of, front_of
from evonas.campaign.hand import Hand
from evonas.campaign.individuals import Individuals
from evonas.campaign.lives import lifespans
from evonas.campaign.loop import Loop, Observe
from evonas.campaign.opening import fitted, opened
from evonas.campaign.searching import search_of, with_operators
from evonas.campaign.source import Source
from evonas.campaign.source import read as read_source
from evonas.campaign.source import write as write_source
from evonas.campaign.spec import Spec, SpecError, parse, recorded
from evonas.campaign.store import DATABASE, Store, StoreError
from evonas.campaign.testing import test_once
from evonas.campaign.trained import trained_network
from evonas.evaluation.evaluator import Check, Legacy
from evonas.record import Individual, ancestors
from evonas.search import Controller, ControllerConfig, Search, Speciated, SpeciatedConfig, Speciation
from evonas.tasks import Own, Task, loaded
from genomes.encoding import WEIGHTED, Encoding, Genome, Phenotype
from genomes.reading import read_genome

if TYPE_CHECKING:
    from deap.base import Toolbox

    from evonas.network import TrainedNetwork

CONTROL = "control"


class Campaign:
    """A search for networks on a task, under a budget, on record.

    Args:
        task: The word for a task, the path of a file or folder, a mapping as in a spec, or arrays `(X, y)` as
            `evonas.tasks.from_arrays` takes them.
            A mapping may hold arrays `X`, `y`, `X_test` and `y_test` beside other fields, such as `kind="regression"`.
            Or a data set as `evonas.tasks.from_dataset` takes it, or an object that is a `TaskConfiguration`.
        encoding: The word for an encoding, a mapping, or an encoding.
        search: The word for a search, a mapping, or its configuration.
        toolbox: A DEAP toolbox whose operators replace those of the search `evolution`.
        **fields: The other fields of `evonas.campaign.spec.Spec`: name, seed, training, evaluation, objectives, budget,
            control, keep_best.

    Raises:
        SpecError: If a field is unknown or wrong.
        DataError: If a data set gives no examples that fit each other.
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
        task, self._arrays, self._given = taken(task)
        self.spec = parse({"task": task, "encoding": encoding, "search": search, **fields})
        self._toolbox = toolbox
        if toolbox is not None:
            self.spec = with_operators(self.spec, toolbox)
        self._directory: Path | None = None
        self._source: tuple[Source, bytes] | None = None
        self._read: tuple[Path, int, Individuals] | None = None
        self._replayed: tuple[Path, int, Search, dict[int, int | None]] | None = None

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
        campaign._toolbox = campaign._arrays = campaign._given = campaign._read = campaign._replayed = None
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
            campaign = cls.of(recorded(store.facts()["spec"], source=str(path)), directory=path)
        except (KeyError, SpecError) as error:
            raise StoreError(f"{path}: expected the record of a spec, got none that can be read ({error})") from None
        finally:
            store.close()
        campaign._toolbox = toolbox
        return campaign

    def __repr__(self) -> str:
        """Name, task, encoding and search; of one that was run or loaded, how far it is and its best."""
        spec = self.spec
        text = f"Campaign {spec.name}: {spec.about}, {spec.encoding.name}, {spec.search.name}"
        try:
            individuals = self.individuals
        except StoreError:
            return f"<{text}; not run yet>"
        best = best_of(individuals, spec)
        found = f"best {best.id}: {spec.objectives.label} {best.fitness:.4g}" if best else "none succeeded yet"
        return f"<{text}; {self.directory}: {individuals!r:.200}; {found}>"

    def run(
        self,
        out: str | Path | None = None,
        *,
        on_told: OnTold | None = None,
        on_generation: OnGeneration | None = None,
        observe: Observe = lambda progress: None,
        check: Check = lambda: None,
    ) -> "Campaign":
        """Run to the end of the budget, from where an earlier run stopped; then test the best once and run the control.

        A listed campaign tests each of its candidates once, when all are trained: nothing is chosen by it.

        Args:
            out: The campaign's directory; None: the one it was loaded from, or runs/out/NAME.
            on_told: Called with every `Individual` once its result is recorded. An exception in it is a warning: the
                campaign goes on and ends as it would without. The control does not call it.
            on_generation: The same, with the number of a generation and its individuals, once all are recorded. Ageing
                evolution counts a population's size as one; a search that samples all of them never calls it.
            observe: Called with the progress after every result; what it raises ends the run.
            check: Called before every training step; what it raises ends the run. Nothing acknowledged is lost.

        Returns:
            The campaign itself.

        Raises:
            StoreError: If the directory holds another campaign, or another process runs it.
            SpecError: If encoding, device and task do not fit each other.
            ValueError: If an operator of a toolbox does not do what its name asks for.
            DataError: If the data cannot be used.
            ProblemError: If a problem cannot judge networks.
            OSError: If the directory cannot be written.
        """
        directory = self._place(out)
        task = self._load(directory)
        try:
            evaluator = evaluator_of(self.spec, task)
        except ValueError as error:
            raise SpecError(f"evaluation.{error}") from None
        search = self.search(self.spec.encoding)
        store = self._opened(directory, task)
        try:
            loop = Loop(
                self.spec,
                self.spec.encoding,
                store,
                search,
                evaluator,
                source=self._left,
                observe=observe,
                check=check,
                recorded=Callbacks(store, on_told, on_generation),
            )
            loop.run()
            test_once(store, self.spec, evaluator, self.genome, check)
            budget = self.spec.spent(store.elapsed(), store.individuals())
        finally:
            store.close()
        if self.spec.control == "random":
            control = Campaign.of(self.spec.of_control(budget))
            control._given = self._given
            control.run(directory / CONTROL, observe=observe, check=check)
        return self

    @contextmanager
    def by_hand(self, out: str | Path | None = None) -> Iterator[Hand]:
        """Evaluate the candidates yourself: ask for them and tell what came of them, on the same record.

        The best is not tested, and there is no control. What was asked and not told when the block ends is proposed
        again by the next one.

        Args:
            out: As in `run`.

        Raises:
            StoreError: As in `run`, as for the others.
            SpecError: Also if a control is asked for.
        """
        if self.spec.control != "none":
            raise SpecError(f"control: expected none by hand, got {self.spec.control}; run random search on its own")
        directory = self._place(out)
        task = self._load(directory, by_hand=True)
        search = self.search(self.spec.encoding)
        store = self._opened(directory, task)
        try:
            loop = Loop(self.spec, self.spec.encoding, store, search, None, source=self._left, weightless=True)
            hand = Hand(loop, self.spec, task)
            try:
                yield hand
            finally:
                hand.close()
        finally:
            store.close()

    def _place(self, out: str | Path | None) -> Path:
        return Path(out) if out is not None else self._directory or Path("runs/out") / self.spec.name

    def _opened(self, directory: Path, task: Task) -> Store:
        """The record, open for writing."""
        if self._source is not None and not (directory / DATABASE).exists():
            write_source(directory, *self._source)
        store = opened(directory, self.spec, task)
        self._directory = directory
        return store

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
    def individuals(self) -> Individuals:
        """Every individual in the order of its number; `to_frame()` makes a pandas data frame of them."""
        with closing(Store.open(self.directory)) as store:
            n_events = store.n_events()
            if self._read is None or self._read[:2] != (self.directory, n_events):
                self._read = self.directory, n_events, Individuals(store.individuals())
            return self._read[2]

    @property
    def best(self) -> Individual | None:
        """The individual of the highest fitness, among equals the one of the lowest loss; None if none succeeded.

        With several objectives, the first of them is the fitness, those to maximise before those to minimise.
        """
        return best_of(self.individuals, self.spec)

    @property
    def front(self) -> Individuals:
        """The individuals that no other dominates, the best of the first objective first; see `front_of`."""
        return Individuals(front_of(self.individuals, self.spec.objectives))

    def individual(self, id: int | None = None) -> Individual:
        """The individual of a number, or the best.

        Raises:
            StoreError: If there is none.
            TypeError: If it is no number.
        """
        if id is None:
            if (best := self.best) is not None:
                return best
            raise StoreError(f"{self.directory}: expected a candidate that succeeded, there is none; name one by ID")
        if not isinstance(id, Integral):
            raise TypeError(f"id: expected the number of an individual, or none for the best, got {id!r:.60}; give one")
        with closing(Store.open(self.directory)) as store:
            n = store.n_individuals()
            if not 0 <= id < n:
                raise StoreError(f"{self.directory}: expected an individual from 0 to {n - 1}, got {id}")
            current = self._read is not None and self._read[:2] == (self.directory, store.n_events())
            return self._read[2][id] if self._read is not None and current else store.individual(id)

    def lineage(self, id: int | None = None) -> Individuals:
        """An individual, the best if none is named, and all that it descends from, the oldest first.

        Raises:
            StoreError: If there is no such individual.
        """
        return Individuals(ancestors(self.individuals, self.individual(id).id))

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
        search = self._replay()[0] if isinstance(self.spec.search, ControllerConfig) else None
        return search.likeliest() if isinstance(search, Controller) else None

    def _replay(self) -> tuple[Search, dict[int, int | None]]:
        """The search at the end of the log, and how long it kept each individual; once for a log."""
        with closing(Store.open(self.directory)) as store:
            n_events = store.n_events()
            if self._replayed is None or self._replayed[:2] != (self.directory, n_events):
                search = self.search(self.spec.encoding)
                ends = lifespans(search, store.events(self.spec.encoding))
                self._replayed = self.directory, n_events, search, ends
            return self._replayed[2:]

    def lifespans(self) -> dict[int, int | None]:
        """How long the search kept each individual as a possible parent; see `evonas.campaign.lives.lifespans`.

        Raises:
            StoreError: If the log is damaged, or the search needs a toolbox that was not given.
        """
        return dict(self._replay()[1])

    def species(self) -> list[Speciation]:
        """How a search in species divided each generation; empty for other searches.

        Raises:
            StoreError: If the log is damaged.
        """
        search = self._replay()[0] if isinstance(self.spec.search, SpeciatedConfig) else None
        return list(search.species) if isinstance(search, Speciated) else []

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

    def phenotype(self, one: Individual) -> Phenotype:
        """What an individual's genome develops into.

        Raises:
            StoreError: If it has none.
        """
        return self.spec.encoding.develop(self.genome(one))

    def network(self, id: int | None = None) -> "TrainedNetwork":
        """An individual's trained network on the CPU, in evaluation mode, as an `nn.Module` for inputs as they come.

        Args:
            id: Its number; None: the best.

        Raises:
            StoreError: If there is no such individual or its weights were not kept.
        """
        one = self.individual(id)
        with closing(Store.open(self.directory)) as store:
            facts = store.facts()
            in_genome = one.weights_sha256 is None and WEIGHTED in self.spec.encoding.abilities
            weights = None if in_genome else store.weights(one.id)
        return trained_network(self.phenotype(one), facts, weights)

    def _load(self, directory: Path, *, by_hand: bool = False) -> Task:
        """The task, after a user's arrays were put beside the record; the encoding is fitted to it."""
        if self._arrays is not None:
            self.spec = placed(self._arrays, directory, self.spec)
        if by_hand and isinstance(self.spec.task, Own):
            task = self.spec.task.outline()
        else:
            task = loaded(self._given or self.spec.task)
        self.spec = fitted(self.spec, task)
        return task

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
        return search_of(self.spec, encoding, self._toolbox)
