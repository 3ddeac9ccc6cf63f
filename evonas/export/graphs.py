"""An individual's phenotype as a graph that other programs draw and measure."""

import io
import math
from collections.abc import Sequence
from typing import Any

import networkx as nx

from evonas.campaign import Campaign
from evonas.record import Individual
from genomes.neurons import NeuronGraph
from genomes.operations import INPUT

POSITIVE, NEGATIVE = "#0072B2", "#D55E00"
"""Colours of connections, as in the pictures."""


def graph(campaign: Campaign, one: Individual) -> nx.DiGraph:
    """The phenotype of an individual.

    Of layers, nodes have `operation`, `merge`, `shape` of their output (as `8x16x16`), `parameters` (trainable values),
    `macs` of one example, and the attributes of `genomes.architecture.Node`. Edges have `inputs`: the places, counted
    from 0 and with blanks in between, at which the target reads the source.

    Of neurons, nodes have `operation` (`input`, or the neuron's activation), `aggregation`, `bias`, `response` and,
    where the value is put out, `output`: the place of it. Inputs have `feature`, where a table's columns have names.
    Edges have `weight`.

    Raises:
        StoreError: If its genome cannot be read.
    """
    facts = campaign.facts
    made = nx.DiGraph(campaign=campaign.spec.name, individual=one.id)
    phenotype = campaign.phenotype(one)
    if isinstance(phenotype, NeuronGraph):
        _add_neurons(made, phenotype, facts.get("features") or ())
        return made
    for layer in phenotype.layout(tuple(facts["input_shape"]), facts["n_outputs"]):
        node = layer.node
        settings = {name: _plain(value) for name, value in node.attributes}
        counted = {"parameters": sum(math.prod(p.shape) for p in layer.parameters if p.trainable), "macs": layer.macs}
        shape = "x".join(map(str, layer.target))
        made.add_node(node.id, **settings, operation=node.operation, merge=node.merge, shape=shape, **counted)
        for source in dict.fromkeys(node.inputs):
            places = [str(at) for at, name in enumerate(node.inputs) if name == source]
            made.add_edge(source, node.id, inputs=" ".join(places))
    return made


def _add_neurons(made: nx.DiGraph, neurons: NeuronGraph, features: Sequence[str]) -> None:
    names = [f"input {at}" for at in range(neurons.n_inputs)] + list(neurons.ids)
    titles = dict(enumerate(features))
    for at, name in enumerate(names[: neurons.n_inputs]):
        made.add_node(name, operation=INPUT, **({"feature": titles[at]} if at in titles else {}))
    columns = zip(
        neurons.ids, neurons.activations, neurons.aggregations, neurons.biases, neurons.responses, strict=True
    )
    for name, activation, aggregation, bias, response in columns:
        made.add_node(name, operation=activation, aggregation=aggregation, bias=bias, response=response)
    for at, place in enumerate(neurons.outputs):
        made.nodes[names[place]]["output"] = at
    for source, target, weight in zip(neurons.sources, neurons.targets, neurons.weights, strict=True):
        made.add_edge(names[source], names[target], weight=weight)


def graphml(campaign: Campaign, one: Individual) -> bytes:
    """The graph as GraphML; see `graph`."""
    text = io.BytesIO()
    nx.write_graphml(graph(campaign, one), text)
    return text.getvalue() + b"\n"


def dot(campaign: Campaign, one: Individual) -> bytes:
    """The graph in the language of Graphviz, to draw with `dot -Tsvg`; attributes are tooltips there. See `graph`.

    Of neurons, inputs are labelled with their names, neurons with activation and bias, connections with their weights;
    positive ones are blue, negative ones red.
    """
    made = graph(campaign, one)
    lines = [f"digraph {_quoted(f'individual {one.id}')} {{", "  rankdir=TB;", "  node [shape=box];"]
    for name, data in made.nodes(data=True):
        label = f"{_title(data)}\n{data['shape'].replace('x', ' × ')}" if "shape" in data else _neuron(name, data)
        tooltip = ", ".join(f"{word}={value}" for word, value in data.items())
        lines.append(f"  {_quoted(name)} [label={_quoted(label)}, tooltip={_quoted(tooltip)}];")
    lines += [
        f"  {_quoted(source)} -> {_quoted(target)}{_weighted(data)};" for source, target, data in made.edges(data=True)
    ]
    return "\n".join([*lines, "}", ""]).encode()


def _neuron(name: str, data: dict[str, Any]) -> str:
    """What is written on an input or a neuron."""
    if data["operation"] == INPUT:
        return str(data.get("feature", name))
    rows = [f"output {data['output']}"] if "output" in data else []
    rows.append(data["operation"] if data["aggregation"] == "sum" else f"{data['operation']} {data['aggregation']}")
    return "\n".join([*rows, f"bias {data['bias']:.3g}"])


def _weighted(data: dict[str, Any]) -> str:
    """The attributes of a connection that has a weight."""
    if "weight" not in data:
        return ""
    colour = POSITIVE if data["weight"] >= 0 else NEGATIVE
    return f" [label={_quoted(format(data['weight'], '.3g'))}, color={_quoted(colour)}]"


def _title(data: dict[str, Any]) -> str:
    kernel = f" {data['kernel']}×{data['kernel']}" if "kernel" in data else ""
    stride = f" / {data['stride']}" if data.get("stride", 1) != 1 else ""
    return f"{data['operation']}{kernel}{stride}"


def _quoted(value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _plain(value: Any) -> Any:
    """What GraphML can hold: a number, a truth value or text."""
    return value if isinstance(value, (bool, int, float, str)) else str(value)
