"""All children of a generation at once: what `mutate` and `crossover` do, in columns that hold every child's genes."""

from collections.abc import Sequence
from itertools import accumulate, chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genomes.encoding import Birth
from genomes.neat import operators
from genomes.neat.genome import NeatGenome, packed

if TYPE_CHECKING:
    from genomes.neat.encoding import Augmenting

Places = npt.NDArray[np.int64]
Column = npt.NDArray[Any]
NEURONS = ("activations", "aggregations", "biases", "responses")
LINKS = ("weights", "enabled")
WORDS = ("activations", "aggregations")
MOVES = {"perturb_weights": "weights", "perturb_biases": "biases", "perturb_responses": "responses"}
"""The operators that change values, which are applied to all who drew them at once, and the column each changes."""


def vary(config: "Augmenting", births: Sequence[Birth], *, rng: np.random.Generator) -> list[tuple[NeatGenome, str]]:
    """Make children, distributed as those of `operators.mutate` and `mating.crossover`.

    A child of two has the wiring of the fitter: crossover chooses values, so that those of all children are chosen, and
    then moved, at once. Operators that change the wiring or a single gene are applied child by child.

    Args:
        config: Rates and powers.
        births: One a child.
        rng: Draws for all of them.

    Returns:
        One a birth, in order: the child, and the operator that made it.

    Raises:
        ValueError: If no operator fits a child that is to be mutated.
    """
    if not births:
        return []
    brood = _Brood(births)
    brood.cross(config, rng)
    drawn = brood.drawn(config, rng)
    for name, column in MOVES.items():
        if children := [at for at, one in enumerate(drawn) if one == name]:
            brood.move(config, column, np.array(children), rng)
    return brood.made(config, drawn, rng)


class _Genes:
    """Genes of one kind, those of the connections or of the neurons: of all parents, and of the children.

    Attributes:
        sizes: How many each child has.
        firsts: Where the genes of each child begin.
        owners: Whose each gene is.
        origins: Where the first parent of each child has the gene.
    """

    def __init__(self, codes: Sequence[npt.NDArray[np.uint64]], parents: Places, n_fixed: int) -> None:
        lengths = np.fromiter(map(len, codes), np.int64, len(codes))
        self._lengths, self._starts = lengths, _starts(lengths)
        self._codes, self._n_fixed = codes, n_fixed
        self.sizes = lengths[parents]
        self.firsts = _starts(self.sizes)
        self.owners = np.repeat(np.arange(len(parents)), self.sizes)
        self.origins = _spans(self._starts[parents], self.sizes)

    def of(self, children: Places) -> Places:
        """The places of the genes of some children."""
        return _spans(self.firsts[children], self.sizes[children])

    def matching(self, children: Places, seconds: Places) -> tuple[Places, Places]:
        """Of some children the genes that their second parent has too: their places, and its."""
        ranks, n_ranks = self._ranks()
        ours, theirs = self.of(children), _spans(self._starts[seconds], self._lengths[seconds])
        numbers = np.arange(len(children)) * n_ranks
        # Genes ascend within a genome, so that both of these do, and searching one in the other is fast.
        wanted = ranks[self.origins[ours]] + np.repeat(numbers, self.sizes[children])
        offered = ranks[theirs] + np.repeat(numbers, self._lengths[seconds])
        if not len(offered):
            return ours[:0], theirs
        found = np.searchsorted(offered, wanted)
        found[found == len(offered)] = 0
        same = offered[found] == wanted
        return ours[same], theirs[found[same]]

    def _ranks(self) -> tuple[Places, int]:
        """For every gene of the parents a number that tells it from others, ascending within a genome."""
        if not self._n_fixed:
            known, ranks = np.unique(np.concatenate(self._codes), return_inverse=True)
            return ranks, len(known)
        # The outputs come first, whatever their codes are.
        n = self._n_fixed
        known, hidden = np.unique(np.concatenate([one[n:] for one in self._codes]), return_inverse=True)
        ranks = np.arange(self._lengths.sum()) - np.repeat(self._starts, self._lengths)
        ranks[ranks >= n] = hidden + n
        return ranks, len(known) + n


class _Values(NamedTuple):
    """One column of all parents, and of the children as they are so far.

    Attributes:
        parents: Numbers; words are places in `words`.
        children: The same, one a gene.
        words: What the numbers stand for, where the column has words.
    """

    parents: Column
    children: Column
    words: list[str]


class _Brood:
    """Children in the making. Only columns that are not the same throughout are spread out."""

    def __init__(self, births: Sequence[Birth]) -> None:
        self._births = births
        known: dict[int, NeatGenome] = {id(one): one for birth in births for one in birth.parents}
        place = dict(zip(known, range(len(known)), strict=True))
        self._pool = list(known.values())
        self._firsts = [birth.parents[0] for birth in births]
        parents = np.array([place[id(one)] for one in self._firsts])
        crossed = [at for at, birth in enumerate(births) if len(birth.parents) > 1 and not _equal(*birth.parents)]
        self._crossed = np.array(crossed, np.int64)
        self._seconds = np.array([place[id(births[at].parents[1])] for at in crossed], np.int64)
        wirings = [one.wiring for one in self._pool]
        self._links = _Genes([one.codes for one in wirings], parents, 0)
        self._neurons = _Genes([one.neuron_codes for one in wirings], parents, wirings[0].n_outputs)
        self._still: set[int] = set()  # Children of whom a move changed nothing, as it may of a few genes.
        self._columns: dict[str, _Values] = {}
        self._kinds = {name: set().union(*map(attrgetter(name), self._pool)) for name in (*NEURONS, "enabled")}
        self._spread("weights")
        for name, kinds in self._kinds.items():
            if len(kinds) > 1:
                self._spread(name)

    def _genes(self, column: str) -> _Genes:
        return self._links if column in LINKS else self._neurons

    def _spread(self, name: str) -> None:
        words = sorted(self._kinds[name]) if name in WORDS else []
        columns = list(map(attrgetter(name), self._pool))
        flat: Column
        if words:
            number = {word: at for at, word in enumerate(words)}
            flat = np.array([number[word] for word in chain.from_iterable(columns)])
        elif name == "enabled":
            flat = np.frombuffer(b"".join(map(bytes, columns)), np.bool_)
        else:
            flat = packed(columns)
        self._columns[name] = _Values(flat, flat[self._genes(name).origins], words)

    def cross(self, config: "Augmenting", rng: np.random.Generator) -> None:
        """Choose the values of all children of two, as `mating.crossover` does."""
        if not len(self._crossed):
            return
        at, theirs = self._links.matching(self._crossed, self._seconds)
        parents, children, _ = self._columns["weights"]
        ours, its = children[at], parents[theirs]
        chosen = np.where(rng.random(len(at)) < 0.5, ours, its)
        if config.average_rate:
            mean = np.zeros(len(self._births), np.bool_)
            mean[self._crossed] = rng.random(len(self._crossed)) < config.average_rate
            chosen = np.where(mean[self._links.owners[at]], 0.5 * (ours + its), chosen)
        children[at] = chosen
        if "enabled" in self._columns:
            parents, children, _ = self._columns["enabled"]
            lucky = rng.random(len(at)) >= config.disabled_rate
            children[at] = (children[at] & parents[theirs]) | lucky
        if names := [name for name in NEURONS if name in self._columns]:
            at, theirs = self._neurons.matching(self._crossed, self._seconds)
            other = rng.random(len(at)) >= 0.5  # A neuron has all its values from one parent.
            at, theirs = at[other], theirs[other]
            for name in names:
                column = self._columns[name]
                column.children[at] = column.parents[theirs]

    def drawn(self, config: "Augmenting", rng: np.random.Generator) -> list[str]:
        """The first operator that each child tries; none: it is not mutated.

        What fits no genome here is not tried: drawn without replacement, the first that fits has the same distribution.
        """
        weights = config.mutation_weights
        idle = {"perturb_biases"} if not config.neuron_bias else set()
        if len({*config.activations, *config.output_activations} | self._kinds["activations"]) == 1:
            idle.add("change_activation")
        if len({*config.aggregations} | self._kinds["aggregations"]) == 1:
            idle.add("change_aggregation")
        names = [name for name in config.wheel[0] if name not in idle] or list(config.wheel[0])
        bounds = np.array(list(accumulate(map(weights.__getitem__, names))))
        found = np.searchsorted(bounds, rng.random(len(self._births)) * bounds[-1], side="right")
        return [
            names[at] if birth.mutated or len(birth.parents) == 1 else ""
            for at, birth in zip(found.tolist(), self._births, strict=True)
        ]

    def move(self, config: "Augmenting", name: str, children: Places, rng: np.random.Generator) -> None:
        """Change the values of a column of some children, as `operators.perturb_weights` does."""
        power, size, centre = {
            "weights": (config.weight_power, config.weight_init, 0.0),
            "biases": (config.bias_power, config.bias_init, 0.0),
            "responses": (config.response_power, config.response_power, 1.0),
        }[name]
        if name not in self._columns:
            self._spread(name)
        column, genes = self._columns[name].children, self._genes(name)
        at = genes.of(children)
        draws, unit = rng.random((2, len(at)))
        unit = unit * 2.0 - 1.0 if config.distribution == "uniform" else rng.standard_normal(len(at))
        old = column[at]
        moved = np.where(draws < config.perturb_rate, old + unit * power, old)
        moved = np.where(draws < config.replace_rate * config.perturb_rate, unit * size + centre, moved)
        moved = moved.clip(-config.limit, config.limit)
        stirred = genes.owners[at[moved != old]]
        self._still.update(set(children.tolist()).difference(stirred.tolist()))
        column[at] = moved

    def made(self, config: "Augmenting", drawn: list[str], rng: np.random.Generator) -> list[tuple[NeatGenome, str]]:
        """The children, after the operators that are applied one by one."""
        columns = [self._cut(name) for name in (*NEURONS, *LINKS)]
        found = []
        for at, (birth, operator, *values) in enumerate(zip(self._births, drawn, *columns, strict=True)):
            child = NeatGenome(birth.parents[0].wiring, *values)
            if operator and (operator not in MOVES or at in self._still):
                variation = operators.applied(config, child, operator, rng)
                child, operator = variation.genome, variation.operator
            if len(birth.parents) > 1:
                operator = f"crossover+{operator}" if operator else "crossover"
            found.append((child, operator))
        return found

    def _cut(self, name: str) -> list[Any]:
        """A column of every child; that of its first parent where nothing in it has changed."""
        theirs = list(map(attrgetter(name), self._firsts))
        if name not in self._columns:
            return theirs
        parents, values, words = self._columns[name]
        genes = self._genes(name)
        changed = np.zeros(len(theirs), np.bool_)
        changed[genes.owners[values != parents[genes.origins]]] = True
        flat = values.tolist()
        if words:
            flat = [words[code] for code in flat]
        ends = (genes.firsts + genes.sizes).tolist()
        return [
            tuple(flat[first:end]) if new else old
            for first, end, new, old in zip(genes.firsts.tolist(), ends, changed.tolist(), theirs, strict=True)
        ]


def _equal(a: NeatGenome, b: NeatGenome) -> bool:
    return a is b or (a.weights == b.weights and a == b)


def _spans(firsts: Places, lengths: Places) -> Places:
    """The numbers from every first one on, as many as its length, one span behind the other."""
    return np.repeat(firsts - _starts(lengths), lengths) + np.arange(lengths.sum())


def _starts(lengths: Places) -> Places:
    """Where each of several spans begins, one behind the other."""
    return np.cumsum(lengths) - lengths
