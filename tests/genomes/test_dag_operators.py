"""What every operator of the direct encoding does, and does not do."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from genomes import Dag, DagGenome, Variation
from genomes.dag.flow import flat_nodes, nonnegative
from genomes.dag.genome import OUTPUT, SOURCE, Gene
from genomes.dag.operators import OPERATORS, _widens_exactly
from genomes.operations import OPERATIONS as KINDS
from tests.genomes.dags import CONFIGS, POPULATIONS, conv, genome, rng

# What an operator changed


class Change:
    """The difference between two genomes."""

    def __init__(self, config: Dag, before: DagGenome, variation: Variation[DagGenome]) -> None:
        after = variation.genome
        self.config, self.before, self.after, self.variation = config, before, after, variation
        self.added = set(after.genes) - set(before.genes)
        self.removed = set(before.genes) - set(after.genes)
        self.edges_added = set(after.edges) - set(before.edges)
        self.edges_removed = set(before.edges) - set(after.edges)
        self.columns = {
            name: {word for word in Gene._fields if getattr(gene, word) != getattr(before.genes[name], word)}
            for name, gene in after.genes.items()
            if name in before.genes and gene != before.genes[name]
        }
        self.rewired = {name for name in after.genes if after.inputs[name] != before.inputs.get(name)}

    @property
    def new(self) -> Gene:
        (name,) = self.added
        return self.after.genes[name]

    def only_column(self) -> tuple[str, set[str]]:
        """The node and the columns of a change that is nothing else."""
        assert not self.added | self.removed | self.rewired
        assert self.before.edges == self.after.edges
        ((name, columns),) = self.columns.items()
        return name, columns

    def phenotypes(self) -> tuple[Any, Any]:
        return self.config.develop(self.before), self.config.develop(self.after)


def check_branch(change: Change) -> None:
    new = change.new.marking
    (source,) = change.after.inputs[new]
    (target,) = {target for start, target in change.after.edges if start == new}
    assert change.edges_added == {(source, new), (new, target)}
    assert not change.edges_removed
    assert (source, target) in change.before.edges
    assert change.after.inputs[target] == [*change.before.inputs[target], new]
    assert change.rewired == {new, target}
    alone = len(change.before.inputs[target]) == 1
    assert set(change.columns) <= {target}
    assert change.columns.get(target, {"merge"}) == {"merge"}
    assert alone or not change.columns
    if alone and "sum" in change.config.merges:
        assert change.after.genes[target].merge == "sum"
    summed = change.after.genes[target].merge == "sum"
    assert (change.new.stride, change.new.start) == (1, "zero" if summed else "random")


def check_split(change: Change) -> None:
    new = change.new.marking
    (source,) = change.after.inputs[new]
    (target,) = {target for start, target in change.after.edges if start == new}
    assert change.edges_added == {(source, new), (new, target)}
    assert change.edges_removed == {(source, target)}
    assert change.after.inputs[target] == [new if name == source else name for name in change.before.inputs[target]]
    assert change.rewired == {new, target}
    assert not change.columns
    if KINDS[change.new.operation].parametric:
        assert (change.new.width, change.new.stride, change.new.start) == (0, 1, "identity")
        assert change.new.normalisation == "none"
        if source in nonnegative(change.before):
            assert change.new.activation == "relu"


def check_deepen(change: Change) -> None:
    assert KINDS[change.new.operation].parametric
    (source,) = change.after.inputs[change.new.marking]
    assert (change.new.operation == "linear") == (source in flat_nodes(change.before, change.config.input_shape))
    assert change.new.width == 0
    if change.edges_removed:
        check_split(change)
        assert source in nonnegative(change.before)
    else:
        check_branch(change)
        assert change.new.start == "zero"


def check_add_edge(change: Change) -> None:
    ((source, target),) = change.edges_added
    assert not change.added | change.removed | change.edges_removed | change.columns.keys()
    assert change.after.inputs[target] == [*change.before.inputs[target], source]
    assert change.rewired == {target}
    shape = change.config.input_shape
    assert flat_nodes(change.after, shape) - {OUTPUT} == flat_nodes(change.before, shape) - {OUTPUT}


def check_remove_edge(change: Change) -> None:
    ((source, target),) = change.edges_removed
    assert not change.added | change.removed | change.edges_added | change.columns.keys()
    assert change.after.inputs[target] == [name for name in change.before.inputs[target] if name != source]
    assert change.rewired == {target}


def check_remove_node(change: Change) -> None:
    (gone,) = change.removed
    assert not change.added | change.columns.keys()
    readers = {target for source, target in change.before.edges if source == gone}
    assert change.rewired == readers
    for reader in readers:
        bridged = [
            name
            for source in change.before.inputs[reader]
            for name in (change.before.inputs[gone] if source == gone else [source])
        ]
        assert change.after.inputs[reader] == list(dict.fromkeys(bridged))
    assert len(change.after.nodes) >= 2


def check_change_operation(change: Change) -> None:
    name, columns = change.only_column()
    gene = change.after.genes[name]
    assert "operation" in columns <= {"operation", "kernel", "start"}
    assert gene.operation in change.config.vocabulary
    assert gene.kernel in change.config.kernels_of(gene.operation)
    assert gene.start == "random"
    before, after = ({node.id: node.operation for node in graph.nodes} for graph in change.phenotypes())
    assert before[name] != after[name]
    assert {other for other in after if after[other] == "linear"} - {
        other for other in before if before[other] == "linear"
    } <= {name}


def check_column(column: str, options: str) -> Callable[[Change], None]:
    def check(change: Change) -> None:
        name, columns = change.only_column()
        assert columns == {column}
        assert getattr(change.after.genes[name], column) in getattr(change.config, options)
        before, after = change.phenotypes()
        differing = [one.id for one, other in zip(before.nodes, after.nodes, strict=True) if one != other]
        assert differing == [name]

    return check


def check_change_kernel(change: Change) -> None:
    check_column("kernel", "kernels")(change)
    (name,) = change.columns
    assert change.after.genes[name].operation == "conv" or change.after.genes[name].kernel > 1


def check_change_merge(change: Change) -> None:
    check_column("merge", "merges")(change)
    (name,) = change.columns
    assert len(change.after.inputs[name]) > 1


def check_widen(change: Change) -> None:
    name, columns = change.only_column()
    assert columns == {"width"}
    before, after = (graph.shapes(change.config.input_shape) for graph in change.phenotypes())
    assert after[name][0] == min(width for width in change.config.widths if width > before[name][0])
    assert all(after[other][0] >= before[other][0] and after[other][1:] == before[other][1:] for other in before)


CHECKS: dict[str, Callable[[Change], None]] = {
    "add_node": check_branch,
    "split_edge": check_split,
    "add_edge": check_add_edge,
    "remove_edge": check_remove_edge,
    "remove_node": check_remove_node,
    "change_operation": check_change_operation,
    "change_width": check_column("width", "widths"),
    "change_kernel": check_change_kernel,
    "change_stride": check_column("stride", "strides"),
    "change_activation": check_column("activation", "activations"),
    "change_normalisation": check_column("normalisation", "normalisations"),
    "change_merge": check_change_merge,
    "widen": check_widen,
    "deepen": check_deepen,
}


def test_every_operator_is_checked() -> None:
    assert set(CHECKS) == set(OPERATORS)
    assert len(CHECKS) == 14


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_does_what_its_name_says(operator: str, name: str) -> None:
    config = CONFIGS[name]
    fitting = 0
    for at, before in enumerate(POPULATIONS[name]):
        for again in range(4):
            variation = OPERATORS[operator](config, before, rng(at, again))
            if variation is None:
                continue
            fitting += 1
            assert variation.operator == operator
            CHECKS[operator](Change(config, before, variation))
            assert config.from_json(config.to_json(variation.genome)) == variation.genome
            config.develop(variation.genome).shapes(config.input_shape)
    never = {"concat": {"change_merge"}, "vector": {"change_kernel", "change_stride"}}.get(name, set())
    assert bool(fitting) == (operator not in never)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_is_reached_by_its_weight_alone(operator: str, name: str) -> None:
    if (name, operator) in {("concat", "change_merge"), ("vector", "change_kernel"), ("vector", "change_stride")}:
        pytest.skip("nothing there to change")
    base = CONFIGS[name]
    weights = {other: 0.0 for other in OPERATORS if other != operator}
    config = Dag(input_shape=base.input_shape, merges=base.merges, max_nodes=99, mutations=weights)
    reached = 0
    for at, before in enumerate(POPULATIONS[name]):
        if OPERATORS[operator](config, before, rng(at)) is None:
            with pytest.raises(ValueError, match=f"expected one of {operator} to fit it, none does"):
                config.mutate(before, rng=rng(at))
            continue
        variation = config.mutate(before, rng=rng(at))
        assert variation.operator == operator
        assert variation.genome != before
        reached += 1
    assert reached >= 5


@pytest.mark.parametrize("name", CONFIGS)
def test_touched_names_exactly_what_changed(name: str) -> None:
    config, population = CONFIGS[name], POPULATIONS[name]
    for at, before in enumerate(population):
        other = population[(at * 7 + 3) % len(population)]
        varied = [config.mutate(before, rng=rng(at, again)) for again in range(15)]
        varied += [config.crossover(before, other, rng=rng(at, again)) for again in range(5)]
        for variation in varied:
            change = Change(config, before, variation)
            old, new = ({node.id: node for node in graph.nodes} for graph in change.phenotypes())
            redeveloped = {
                node
                for node in old.keys() & new.keys()
                if (old[node].operation, old[node].attributes) != (new[node].operation, new[node].attributes)
            }
            expected = change.added | change.removed | set(change.columns) | change.rewired | redeveloped
            assert set(variation.touched) == expected, variation.operator


def test_touched_names_nodes_downstream_that_work_on_an_area_again() -> None:
    nodes = (Gene("f", "linear", width=8), conv("a"), conv("b"), Gene("l", "linear", width=8))
    before = genome(*nodes, edges="input-f f-a a-b b-l l-output")
    config = Dag(mutations={name: float(name == "remove_node") for name in OPERATORS})
    touched = {variation.touched for variation in (config.mutate(before, rng=rng(seed)) for seed in range(40))}
    assert set(touched) == {("f", "a", "b"), ("a", "b"), ("b", "l"), ("l", OUTPUT)}


def test_operators_are_drawn_by_weight() -> None:
    others = {name: 0.0 for name in OPERATORS if name not in ("change_width", "split_edge")}
    config = Dag(mutations={**others, "change_width": 3.0})
    before = genome(conv("a"), edges="input-a a-output")
    drawn = Counter(config.mutate(before, rng=rng(seed)).operator for seed in range(400))
    assert set(drawn) == {"change_width", "split_edge"}
    assert 270 <= drawn["change_width"] <= 330


def test_an_operator_that_does_not_fit_gives_way() -> None:
    config = Dag(mutations={name: 0.0 for name in OPERATORS if name not in ("change_merge", "change_width")})
    before = genome(conv("a"), edges="input-a a-output")
    assert {config.mutate(before, rng=rng(seed)).operator for seed in range(20)} == {"change_width"}


@pytest.mark.parametrize("operator", ["add_node", "split_edge", "deepen"])
def test_the_cap_on_nodes_holds_to_the_last_node(operator: str) -> None:
    before = genome(conv("a"), conv("b"), edges="input-a a-b b-output")
    assert OPERATORS[operator](Dag(max_sampled=2, max_nodes=2), before, rng(0)) is None
    variation = OPERATORS[operator](Dag(max_sampled=3, max_nodes=3), before, rng(0))
    assert variation is not None
    assert len(variation.genome.nodes) == 3 + 1


def test_the_last_node_stays() -> None:
    assert OPERATORS["remove_node"](Dag(), genome(conv("a"), edges="input-a a-output"), rng(0)) is None


def test_remove_edge_leaves_every_node_connected() -> None:
    before = genome(conv("a"), conv("b"), edges="input-a input-b a-b b-output")
    removable = {
        next(iter(set(before.edges) - set(variation.genome.edges)))
        for seed in range(20)
        if (variation := OPERATORS["remove_edge"](Dag(), before, rng(seed)))
    }
    assert removable == {(SOURCE, "b")}
    assert OPERATORS["remove_edge"](Dag(), genome(conv("a"), edges="input-a a-output"), rng(0)) is None


def test_add_edge_reaches_every_pair_that_keeps_height_and_width() -> None:
    flat = Gene("f", "linear", width=8)
    before = genome(conv("a"), flat, conv("b"), edges="input-a a-b input-f b-output f-output")
    added = {
        edge
        for seed in range(60)
        if (variation := OPERATORS["add_edge"](Dag(), before, rng(seed)))
        for edge in set(variation.genome.edges) - set(before.edges)
    }
    order = [gene.marking for gene in before.nodes]
    possible = {(SOURCE, "b"), (SOURCE, OUTPUT), ("a", OUTPUT)}
    possible |= {(one, "f") for one in ("a", "b") if order.index(one) < order.index("f")}
    assert added == possible


def test_deepen_tries_every_edge() -> None:
    """Only the edge into `a` can take a layer: everything else meets in a concatenation and follows no ReLU."""
    nodes = (conv("a"), conv("b", activation="silu"), Gene(OUTPUT, "head", merge="concat"))
    before = genome(*nodes, edges="input-a input-b a-output b-output input-output")
    children = [OPERATORS["deepen"](Dag(), before, rng(seed)) for seed in range(30)]
    assert all(child is not None and child.genome.inputs[OUTPUT] == before.inputs[OUTPUT] for child in children)


def test_deepen_never_ends_in_a_concatenation() -> None:
    before = genome(conv("a", activation="silu"), edges="input-a a-output")
    assert OPERATORS["deepen"](Dag(merges=("concat",)), before, rng(0)) is None
    assert OPERATORS["deepen"](Dag(operations=("max_pool", "identity")), before, rng(0)) is None


# Where widening is exact, by structure


def widens(before: DagGenome, name: str) -> bool:
    return _widens_exactly(before, name, Dag().develop(before).shapes((3, 8, 8)))


def test_widening_is_exact_where_weights_take_the_new_channels_up() -> None:
    assert widens(genome(conv("a"), edges="input-a a-output"), "a")
    assert widens(genome(conv("a"), conv("b"), edges="input-a a-b b-output"), "a")
    assert widens(genome(conv("a"), Gene("i", "avg_pool"), edges="input-a a-i i-output"), "a")


def test_widening_is_exact_at_the_end_of_a_concatenation_or_before_weights() -> None:
    for edges in ("input-a input-b a-m b-m m-c c-output", "input-a input-b b-m a-m m-c c-output"):
        assert widens(genome(conv("a"), conv("b"), Gene("m", "identity", merge="concat"), conv("c"), edges=edges), "a")


def test_widen_passes_over_nodes_where_it_is_not_exact() -> None:
    before = genome(conv("a", 8), conv("b", 16), edges="input-a input-b a-output b-output")
    children = [OPERATORS["widen"](Dag(), before, rng(seed)) for seed in range(20)]
    assert {child.touched for child in children if child} == {("b",)}
    assert OPERATORS["widen"](Dag(widths=(8, 16)), before, rng(0)) is None


def test_widening_is_refused_where_a_sum_would_mix_channels() -> None:
    wide, narrow = conv("b", 16), conv("b", 8)
    summed = "input-a input-b a-output b-output"
    assert not widens(genome(conv("a", 8), wide, edges=summed), "a")
    assert widens(genome(conv("a", 8), narrow, edges=summed), "a")
    assert widens(genome(conv("a", 8), wide, edges=summed), "b")


def test_widening_is_refused_where_channels_would_shift_before_a_sum() -> None:
    first, last = "a-m b-m", "b-m a-m"
    for order, exact in ((first, False), (last, True)):
        nodes = (conv("a"), conv("b"), conv("c", 16), Gene("m", "identity", merge="concat"))
        edges = f"input-a input-b input-c {order} m-output c-output"
        assert widens(genome(*nodes, edges=edges), "a") is exact
