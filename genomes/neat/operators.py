"""How NEAT's genomes vary: mutation (Stanley & Miikkulainen 2002, https://doi.org/10.1162/106365602320169811)."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from itertools import compress
from operator import ne
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genomes.encoding import Variation
from genomes.innovation import fresh_marking
from genomes.neat.genome import BIAS, Connection, NeatGenome, Neuron, edge, grown, input_ids, shrunk

if TYPE_CHECKING:
    from genomes.neat.encoding import Augmenting

Operator = Callable[["Augmenting", NeatGenome, np.random.Generator], Variation[NeatGenome] | None]
"""`(configuration, genome, rng) -> Variation`, or None where it does not fit the genome."""
Values = npt.NDArray[np.float64]
TRIES = 20
"""Pairs of neurons that `add_connection` tries (`newlink_tries` in Stanley's own programs)."""

MANY = 64
"""Values from which arrays change them in less time than a loop does."""


def mutate(config: "Augmenting", genome: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
    """Apply one operator, drawn by weight among those that fit this genome.

    As in the paper a child is given a node, or a connection, or other weights, not all of them.

    Raises:
        ValueError: If no operator of positive weight fits.
    """
    names, bounds = config.wheel
    return applied(config, genome, names[bisect_right(bounds, rng.random() * bounds[-1])], rng)


def applied(config: "Augmenting", genome: NeatGenome, name: str, rng: np.random.Generator) -> Variation[NeatGenome]:
    """Apply an operator that was drawn, or where it does not fit one of the others.

    Raises:
        ValueError: If no operator of positive weight fits.
    """
    return OPERATORS[name](config, genome, rng) or _instead(config, genome, name, rng)


def _instead(config: "Augmenting", genome: NeatGenome, tried: str, rng: np.random.Generator) -> Variation[NeatGenome]:
    """Apply another operator than one that was drawn and does not fit.

    Raises:
        ValueError: If none of positive weight fits.
    """
    names, bounds = config.wheel
    left = {name: high - low for name, low, high in zip(names, (0.0, *bounds), bounds, strict=False)}
    while len(left) > 1:
        del left[tried]
        tried = _drawn(left, rng)
        if (variation := OPERATORS[tried](config, genome, rng)) is not None:
            return variation
    raise ValueError(f"genome {genome.digest}: expected one of {', '.join(names)} to fit it, none does; allow others")


def add_node(config: "Augmenting", genome: NeatGenome, rng: np.random.Generator) -> Variation[NeatGenome] | None:
    """Split an enabled connection: it is disabled, and a new neuron takes its place.

    The weight into the neuron is 1, the weight out of it that of the old connection. Connections from the bias are not
    split (so in Stanley's own programs). If `neutral`, the old connection stays, the new way beside it has a random
    weight in and the weight 0 out, and only connections into a sum are split: then nothing changes in what the network
    computes.
    """
    wiring = genome.wiring
    if len(wiring.ids) - wiring.n_outputs >= config.max_nodes:
        return None
    if len(wiring.markings) + 2 > config.max_connections:
        return None
    fitting: Any = compress(range(len(genome.enabled)), genome.enabled)
    if wiring.biasing:
        fitting = [at for at in fitting if wiring.unbiasing[at]]
    if config.neutral and config.aggregations != ("sum",):
        fitting = [at for at in fitting if genome.aggregations[wiring.neuron_at[wiring.targets[at]]] == "sum"]
    options = list(fitting)
    if not options:
        return None
    at = _pick(options, rng)
    name = fresh_marking(wiring.neuron_at, "split", wiring.markings[at])
    neuron = new_neuron(config, name, rng)
    source, target = wiring.sources[at], wiring.targets[at]
    into, out = edge(source, name), edge(name, target)
    if config.neutral:
        links = Connection(source, name, drawn_weights(config, 1, rng)[0]), Connection(name, target, 0.0)
        return Variation(grown(genome, (neuron,), links), "add_node", (name, into, out))
    enabled = (*genome.enabled[:at], False, *genome.enabled[at + 1 :])
    links = Connection(source, name, 1.0), Connection(name, target, genome.weights[at])
    child = grown(replace(genome, enabled=enabled), (neuron,), links)
    return Variation(child, "add_node", (name, into, out, wiring.markings[at]))


def add_connection(config: "Augmenting", genome: NeatGenome, rng: np.random.Generator) -> Variation[NeatGenome] | None:
    """Connect two neurons that are not connected, with a random weight.

    Without `recurrent` no cycle is closed and no output is read. With it a cycle is closed with the probability
    `recurrent_rate`, and otherwise not, as in Stanley's own programs; after `TRIES` pairs it gives up.
    """
    wiring = genome.wiring
    if len(wiring.markings) >= config.max_connections:
        return None
    present = wiring.at
    inputs = input_ids(wiring.n_inputs)
    sources = (*inputs, *wiring.ids) if config.recurrent else (*inputs, *genome.hidden)
    if config.bias_input:
        sources = (*sources, BIAS)
    targets = wiring.ids
    draws = rng.random((TRIES, 2)).tolist()
    closing = config.recurrent and rng.random() < config.recurrent_rate
    for first, second in draws:
        source, target = sources[int(first * len(sources))], targets[int(second * len(targets))]
        if (name := edge(source, target)) in present:
            continue
        cycle = source in wiring.neuron_at and wiring.reaches(target, source)
        if cycle == closing:
            child = grown(genome, (), (Connection(source, target, drawn_weights(config, 1, rng)[0]),))
            return Variation(child, "add_connection", child.wiring.touched((name,)))
    return None


def remove_node(config: "Augmenting", genome: NeatGenome, rng: np.random.Generator) -> Variation[NeatGenome] | None:
    """Take a hidden neuron out, with its connections."""
    if not genome.hidden:
        return None
    return _without(genome, _pick(genome.hidden, rng), "remove_node")


def remove_connection(
    config: "Augmenting", genome: NeatGenome, rng: np.random.Generator
) -> Variation[NeatGenome] | None:
    """Take a connection out; a hidden neuron goes with the last of its connections."""
    if not genome.markings:
        return None
    return _without(genome, _pick(genome.markings, rng), "remove_connection")


def toggle_connection(
    config: "Augmenting", genome: NeatGenome, rng: np.random.Generator
) -> Variation[NeatGenome] | None:
    """Disable a connection, or enable one that is disabled."""
    if not genome.enabled:
        return None
    at = _pick(range(len(genome.enabled)), rng)
    enabled = (*genome.enabled[:at], not genome.enabled[at], *genome.enabled[at + 1 :])
    touched = genome.wiring.touched((genome.markings[at],))
    return Variation(replace(genome, enabled=enabled), "toggle_connection", touched)


def perturb_weights(config: "Augmenting", genome: NeatGenome, rng: np.random.Generator) -> Variation[NeatGenome] | None:
    """Change weights: each with the probability `perturb_rate`, and one at least; a new one with `replace_rate`, else a
    step."""
    weights = _moved(config, genome.weights, config.weight_power, config.weight_init, 0.0, rng)
    if weights is None:
        return None
    wiring = genome.wiring
    if config.perturb_rate == 1:
        touched = wiring.all_touched
    else:
        touched = wiring.touched(tuple(compress(wiring.markings, map(ne, weights, genome.weights))))
    columns = genome.activations, genome.aggregations, genome.biases, genome.responses
    return Variation(NeatGenome(wiring, *columns, weights, genome.enabled), "perturb_weights", touched)


def perturb_biases(config: "Augmenting", genome: NeatGenome, rng: np.random.Generator) -> Variation[NeatGenome] | None:
    """Change the biases of neurons, as `perturb_weights` does weights; where neurons have one."""
    if not config.neuron_bias:
        return None
    biases = _moved(config, genome.biases, config.bias_power, config.bias_init, 0.0, rng)
    if biases is None:
        return None
    touched = tuple(compress(genome.ids, map(ne, biases, genome.biases)))
    return Variation(replace(genome, biases=biases), "perturb_biases", touched)


def perturb_responses(
    config: "Augmenting", genome: NeatGenome, rng: np.random.Generator
) -> Variation[NeatGenome] | None:
    """Change the responses of neurons, as `perturb_weights` does weights; new ones lie around 1."""
    responses = _moved(config, genome.responses, config.response_power, config.response_power, 1.0, rng)
    if responses is None:
        return None
    touched = tuple(compress(genome.ids, map(ne, responses, genome.responses)))
    return Variation(replace(genome, responses=responses), "perturb_responses", touched)


def change_activation(
    config: "Augmenting", genome: NeatGenome, rng: np.random.Generator
) -> Variation[NeatGenome] | None:
    """Give a neuron another activation of those that its kind may have."""
    n_outputs = genome.wiring.n_outputs
    options = (config.output_activations, config.activations)
    fitting = [
        at for at, word in enumerate(genome.activations) if any(other != word for other in options[at >= n_outputs])
    ]
    if not fitting:
        return None
    at = _pick(fitting, rng)
    word = _pick([other for other in options[at >= n_outputs] if other != genome.activations[at]], rng)
    activations = (*genome.activations[:at], word, *genome.activations[at + 1 :])
    return Variation(replace(genome, activations=activations), "change_activation", (genome.ids[at],))


def change_aggregation(
    config: "Augmenting", genome: NeatGenome, rng: np.random.Generator
) -> Variation[NeatGenome] | None:
    """Give a neuron another aggregation."""
    at = _pick(range(len(genome.ids)), rng)
    options = [other for other in config.aggregations if other != genome.aggregations[at]]
    if not options:
        return None
    aggregations = (*genome.aggregations[:at], _pick(options, rng), *genome.aggregations[at + 1 :])
    return Variation(replace(genome, aggregations=aggregations), "change_aggregation", (genome.ids[at],))


OPERATORS: dict[str, Operator] = {
    operator.__name__: operator
    for operator in (
        add_node,
        add_connection,
        perturb_weights,
        perturb_biases,
        perturb_responses,
        toggle_connection,
        remove_node,
        remove_connection,
        change_activation,
        change_aggregation,
    )
}
"""Every mutation operator by name."""


def new_neuron(config: "Augmenting", name: str, rng: np.random.Generator) -> Neuron:
    """A hidden neuron as mutation makes it: its words are drawn where there is a choice, its bias is 0."""
    activations, aggregations = config.activations, config.aggregations
    activation = activations[0] if len(activations) == 1 else _pick(activations, rng)
    aggregation = aggregations[0] if len(aggregations) == 1 else _pick(aggregations, rng)
    return Neuron(name, activation, aggregation)


def drawn_weights(config: "Augmenting", n: int, rng: np.random.Generator) -> tuple[float, ...]:
    """n new weights."""
    return drawn_values(config, n, config.weight_init, rng)


def drawn_values(config: "Augmenting", n: int, size: float, rng: np.random.Generator) -> tuple[float, ...]:
    """n new values, of this bound or standard deviation."""
    drawn = rng.uniform(-size, size, n) if config.distribution == "uniform" else rng.standard_normal(n) * size
    return tuple(drawn.clip(-config.limit, config.limit).tolist())


def _moved(
    config: "Augmenting",
    old: tuple[float, ...],
    power: float,
    size: float,
    centre: float,
    rng: np.random.Generator,
) -> tuple[float, ...] | None:
    """Values each perturbed or replaced, one at least; None if there is none."""
    n = len(old)
    if not n:
        return None
    draws, drawn = rng.random((2, n))
    if draws.min() >= config.perturb_rate:
        draws[rng.integers(n)] = rng.random() * config.perturb_rate
    unit = drawn * 2.0 - 1.0 if config.distribution == "uniform" else rng.standard_normal(n)
    change = _one_by_one if n < MANY else _at_once
    moved = change(old, draws, unit * power, unit * size + centre, config)
    if moved == old:  # All of them lie on the limit, and would go beyond it.
        moved = change(old, draws, -unit * power, -unit * size + centre, config)
    return moved


def _one_by_one(
    old: tuple[float, ...], draws: Values, steps: Values, fresh: Values, config: "Augmenting"
) -> tuple[float, ...]:
    rate, limit = config.perturb_rate, config.limit
    replaced = config.replace_rate * rate
    moved = []
    for value, draw, step, new in zip(old, draws.tolist(), steps.tolist(), fresh.tolist(), strict=True):
        if draw < replaced:
            value = new
        elif draw < rate:
            value += step
        moved.append(limit if value > limit else -limit if value < -limit else value)
    return tuple(moved)


def _at_once(
    old: tuple[float, ...], draws: Values, steps: Values, fresh: Values, config: "Augmenting"
) -> tuple[float, ...]:
    values = np.array(old)
    moved = np.where(draws < config.perturb_rate, values + steps, values)
    moved = np.where(draws < config.replace_rate * config.perturb_rate, fresh, moved)
    return tuple(moved.clip(-config.limit, config.limit).tolist())


def _without(genome: NeatGenome, gone: str, operator: str) -> Variation[NeatGenome]:
    child = shrunk(genome, frozenset((gone,)))
    names = [name for name in genome.markings if name not in child.wiring.at]
    neurons = [name for name in genome.hidden if name not in child.wiring.neuron_at]
    biased = [genome.wiring.biased[name] for name in names if name in genome.wiring.biased]
    return Variation(child, operator, tuple(dict.fromkeys((*neurons, *names, *biased))))


def _pick(options: Any, rng: np.random.Generator) -> Any:
    return options[int(rng.random() * len(options))]


def _drawn(weights: dict[str, float], rng: np.random.Generator) -> str:
    at = rng.random() * sum(weights.values())
    for name, weight in weights.items():
        at -= weight
        if at < 0:
            return name
    return name
