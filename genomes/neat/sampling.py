"""The genomes that NEAT starts from."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from genomes.encoding import POINTER, Decide
from genomes.innovation import fresh_marking
from genomes.neat.genome import (
    BIAS,
    Connection,
    NeatGenome,
    Neuron,
    Wiring,
    assembled,
    edge,
    input_ids,
    output_ids,
)
from genomes.neat.operators import drawn_values, drawn_weights

if TYPE_CHECKING:
    from genomes.neat.encoding import Augmenting

Pair = tuple[str, str]


def decisions(config: "Augmenting") -> Mapping[str, int]:
    """The kinds of decision that sampling takes, and their option counts."""
    found = {}
    if config.initial in ("partial", "one"):
        found["connect"] = POINTER
    for kind, words in (("output_activation", config.output_activations), ("output_aggregation", config.aggregations)):
        if len(words) > 1:
            found[kind] = len(words)
    if config.max_sampled:
        found |= {"more": 2, "split": POINTER, "more_inputs": 2, "input": POINTER}
        for kind, words in (("activation", config.activations), ("aggregation", config.aggregations)):
            if len(words) > 1:
                found[kind] = len(words)
    return found


def sampled(config: "Augmenting", decide: Decide, rng: np.random.Generator) -> NeatGenome:
    """A genome without hidden neurons, or with some if `max_sampled` allows them; structure through `decide`.

    A sampled hidden neuron splits a connection and leaves it out, and may read further inputs.

    Raises:
        ValueError: If the number of outputs is not known, or the initial connections are too many.
    """
    if config.n_outputs is None:
        raise ValueError("n_outputs: expected the number of outputs, got none; call for_task or give it")
    outputs = [
        Neuron(
            name,
            _decided(decide, ("output_activation", at), config.output_activations),
            _decided(decide, ("output_aggregation", at), config.aggregations),
        )
        for at, name in enumerate(output_ids(config.n_outputs))
    ]
    if config.initial == "full" and not config.max_sampled:
        wiring = _minimal(config.n_inputs, config.n_outputs, config.bias_input, config.max_connections)
        return _valued(config, wiring, tuple(outputs), rng)
    pairs = _initial(config, decide)
    hidden = _hidden(config, decide, pairs)
    genome = assembled(
        config.n_inputs, config.n_outputs, (*outputs, *hidden), [Connection(*pair, 0.0) for pair in pairs]
    )
    return _valued(config, genome.wiring, genome.neurons, rng)


def _valued(config: "Augmenting", wiring: Wiring, neurons: tuple[Neuron, ...], rng: np.random.Generator) -> NeatGenome:
    """The genome with drawn weights, and biases where neurons have their own."""
    n = len(neurons)
    weights = drawn_weights(config, len(wiring.markings), rng)
    biases = drawn_values(config, n, config.bias_init, rng) if config.neuron_bias else (0.0,) * n
    activations = tuple([neuron.activation for neuron in neurons])
    aggregations = tuple([neuron.aggregation for neuron in neurons])
    enabled = (True,) * len(weights)
    return NeatGenome(wiring, activations, aggregations, biases, (1.0,) * n, weights, enabled)


@lru_cache(maxsize=64)
def _minimal(n_inputs: int, n_outputs: int, bias: bool, most: int) -> Wiring:
    pairs = _all_pairs(n_inputs, n_outputs, bias)
    _check_count(len(pairs), most)
    rows = sorted((edge(*pair), *pair) for pair in pairs)
    return Wiring(n_inputs, n_outputs, output_ids(n_outputs), *(tuple(column) for column in zip(*rows, strict=True)))


def _all_pairs(n_inputs: int, n_outputs: int, bias: bool) -> list[Pair]:
    sources = (*input_ids(n_inputs), BIAS) if bias else input_ids(n_inputs)
    return [(source, target) for target in output_ids(n_outputs) for source in sources]


def _initial(config: "Augmenting", decide: Decide) -> list[Pair]:
    n_outputs = config.n_outputs or 0
    if config.initial == "none":
        return []
    if config.initial == "one":
        inputs = input_ids(config.n_inputs)
        pairs = [(inputs[decide(("connect", at), len(inputs))], name) for at, name in enumerate(output_ids(n_outputs))]
        pairs += [(BIAS, name) for name in output_ids(n_outputs) if config.bias_input]
    else:
        pairs = _all_pairs(config.n_inputs, n_outputs, config.bias_input)
    if config.initial == "partial":
        left, pairs = pairs, []
        for at in range(max(1, round(config.initial_fraction * len(left)))):
            pairs.append(left.pop(decide(("connect", at), len(left))))
    _check_count(len(pairs), config.max_connections)
    return pairs


def _hidden(config: "Augmenting", decide: Decide, pairs: list[Pair]) -> list[Neuron]:
    """Hidden neurons that are decided; `pairs` is changed as they demand."""
    found: dict[str, Neuron] = {}
    inputs = input_ids(config.n_inputs)
    while len(found) < config.max_sampled and decide(("more", len(found)), 2):
        at = len(found)
        options = [index for index, (source, _) in enumerate(pairs) if source != BIAS]
        if not options:
            break
        source, target = pairs.pop(options[decide(("split", at), len(options))])
        name = fresh_marking(found, "split", edge(source, target))
        activation = _decided(decide, ("activation", at), config.activations)
        found[name] = Neuron(name, activation, _decided(decide, ("aggregation", at), config.aggregations))
        pairs += [(source, name), (name, target)]
        further = [other for other in inputs if other != source]
        while further and decide(("more_inputs", at, len(further)), 2):
            pairs.append((further.pop(decide(("input", at, len(further)), len(further))), name))
        if config.bias_input:
            pairs.append((BIAS, name))
    return list(found.values())


def _decided(decide: Decide, site: tuple[str, int], words: tuple[str, ...]) -> str:
    return words[decide(site, len(words))] if len(words) > 1 else words[0]


def _check_count(n: int, most: int) -> None:
    if n > most:
        expected = f"at most {most:,} initial connections"
        raise ValueError(f"initial: expected {expected}, got {n:,}; raise max_connections, or use one or partial")
