"""HyperNEAT: where the places of a substrate lie, what is asked about them, and what develops."""

from typing import Any

import numpy as np
import pytest

from evonas.campaign.spec import SpecError, parse
from genomes.cppn import Cppn
from genomes.encoding import FIXED, LEARNS, MEASURES_MANY, VARIES_MANY, WEIGHTED, uniform
from genomes.hyperneat import Conv, HyperNeat
from genomes.hyperneat.substrate import substrate
from genomes.neat.genome import NeatGenome
from genomes.painting import Paint, Sheet, asked, grid


def config(shape: tuple[int, ...] = (1, 3, 3), n_outputs: int = 2, **fields: Any) -> HyperNeat:
    return HyperNeat(**fields).for_task(shape, n_outputs)


def sampled(encoding: HyperNeat, seed: int = 0, n_mutations: int = 0) -> NeatGenome:
    rng = np.random.default_rng(seed)
    genome = encoding.sample(uniform(rng), rng=rng)
    for _ in range(n_mutations):
        genome = encoding.mutate(genome, rng=rng).genome
    return genome


def paints(encoding: HyperNeat, genome: NeatGenome) -> dict[str, Paint]:
    nodes = encoding.develop(genome).nodes
    return {f"{node.id} {role}": paint for node in nodes for role, paint in node.paints}


def weights_by_hand(paint: Paint) -> np.ndarray:
    """One connection at a time."""
    found = np.zeros((len(paint.targets.places), len(paint.sources.places)))
    for i, target in enumerate(paint.targets.places):
        for j, source in enumerate(paint.sources.places):
            answers = paint.cppn.run([[*source, *target]])[0]
            value = min(1.0, max(-1.0, answers[paint.output]))
            if paint.expression is not None:
                found[i, j] = paint.scale * value if answers[paint.expression] > 0 else 0.0
            elif abs(value) > paint.threshold:
                rest = (abs(value) - paint.threshold) / (1 - paint.threshold)
                found[i, j] = paint.scale * rest * (1 if value > 0 else -1)
    return found


# The substrate


def test_an_image_of_one_channel_is_a_sheet() -> None:
    found = config(hidden=((1, 2),)).substrate
    assert found.shapes == ((3, 3), (1, 2), (2,))
    assert found.n_dimensions == 3
    first, last = found.connections()
    assert first.sources.places[:4] == ((-1, -1, -1), (-1, 0, -1), (-1, 1, -1), (0, -1, -1))
    assert first.targets.places == last.sources.places == ((0, -1, 0), (0, 1, 0))
    assert last.targets.places == ((0, -1, 1), (0, 1, 1))


def test_channels_are_an_axis_where_there_are_several() -> None:
    found = config((2, 1, 3)).substrate.connections()[0]
    assert found.sources.places == tuple((c, 0, x, -1) for c in (-1, 1) for x in (-1, 0, 1))
    assert found.targets.places == ((0, 0, -1, 1), (0, 0, 1, 1))


def test_a_kernel_is_painted_over_channels_and_offsets() -> None:
    first, second, last = config((1, 5, 5), hidden=(Conv(4, 3, 2), (2, 2))).substrate.connections()
    assert first.sources.places == tuple((0, y, x, -1) for y in (-1, 0, 1) for x in (-1, 0, 1))
    assert [place[0] for place in first.targets.places] == pytest.approx([-1, -1 / 3, 1 / 3, 1])
    assert {place[1:3] for place in first.targets.places} == {(0, 0)}
    assert first.targets.places[0][3] == pytest.approx(-1 / 3)
    assert len(second.sources.places) == 4 * 3 * 3
    assert second.sources.places[0] == pytest.approx((-1, -1, -1, -1 / 3))
    assert second.targets.places == last.sources.places


def test_a_pair_of_layers_with_outputs_of_its_own_has_no_depth() -> None:
    encoding = config(hidden=((2, 2), "same"), separate=True, leo="on")
    assert encoding.substrate.n_dimensions == 2
    assert (encoding.painter.n_inputs, encoding.painter.n_outputs) == (4, 9)
    found = paints(encoding, sampled(encoding))
    outputs = [(paint.output, paint.expression) for paint in found.values()]
    assert outputs == [(6, None), (0, 3), (7, None), (1, 4), (8, None), (2, 5)]


def test_vectors_lie_on_lines_and_squares() -> None:
    assert config((9,)).substrate.shapes == ((9,), (2,))
    assert config((9,), 4, inputs="square", outputs="square").substrate.shapes == ((3, 3), (2, 2))
    assert HyperNeat(inputs="square", outputs=(3, 2), input_shape=(9,)).substrate.shapes == ((3, 3), (3, 2))
    assert config((9,), 1).substrate.connections()[0].targets.places == ((0, 1),)


@pytest.mark.parametrize(
    ("shape", "fields", "expected"),
    [
        ((9,), {"hidden": (Conv(2),)}, "expected an image before convolution 1, got an input of shape"),
        ((1, 3, 3), {"hidden": ((2, 2), Conv(2))}, "expected an image before convolution 2, got a sheet"),
        ((8,), {"inputs": "square"}, "inputs: expected 8 places, got 'square', which has 4"),
        ((8,), {"outputs": (3, 3)}, r"outputs: expected 2 places, got \(3, 3\), which has 9"),
        ((8,), {"hidden": ((),)}, "expected 1 to 65,536 places a layer"),
        ((8,), {"hidden": ((300, 300),)}, "expected 1 to 65,536 places a layer"),
        ((8,), {"threshold": 1.0}, "threshold: expected"),
        ((8,), {"scale": 0.0}, "scale: expected"),
        ((8,), {"activation": "sinus"}, "activation: expected one of"),
        ((8,), {"queries": ("source", "source")}, "queries: expected some of"),
        ((8,), {"queries": ("difference",), "leo": "local"}, "leo: expected source and target"),
    ],
)
def test_what_cannot_be_laid_out(shape: tuple[int, ...], fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        config(shape, **fields)


def test_a_convolution_in_limits() -> None:
    for numbers in ((0, 3, 1), (4, 2, 1), (4, 33, 1), (4, 3, 0)):
        with pytest.raises(ValueError, match="hidden: expected 1 to 4096 channels"):
            Conv(*numbers)


# What is asked


def test_queries() -> None:
    here, there = np.array([[0.0, 1.0], [3.0, 0.0]]), np.array([[3.0, 5.0], [0.0, 4.0]])
    words = ("target", "source", "difference", "distance", "source_radius", "target_radius", "bias")
    found = asked(words, here, there)
    assert found.shape == (2, 10)
    np.testing.assert_allclose(found[0], [3, 5, 0, 1, 3, 4, 5, 1, np.hypot(3, 5), 1])
    np.testing.assert_allclose(found[1], [0, 4, 3, 0, -3, 4, 5, 3, 4, 1])
    assert asked(("source", "target"), here[None], there[:, None]).shape == (2, 2, 4)


# Development


def test_the_architecture_of_a_substrate() -> None:
    encoding = config((3, 8, 8), 5, hidden=(Conv(4, 3, 2), (5, 5)), fan_in=True)
    phenotype = encoding.develop(sampled(encoding))
    assert phenotype.shapes((3, 8, 8), 5) == {
        "input": (3, 8, 8),
        "hidden-0": (4, 4, 4),
        "flatten": (64,),
        "hidden-1": (25,),
        "output": (5,),
    }
    assert phenotype.n_parameters((3, 8, 8), 5) == 4 * 28 + 25 * 65 + 5 * 26
    assert phenotype.macs((3, 8, 8), 5) == 27 * 64 + 25 * 64 + 5 * 25
    scales = {name: paint.scale for name, paint in paints(encoding, sampled(encoding)).items()}
    assert scales["hidden-0 conv/weight"] == pytest.approx(3 / np.sqrt(27))
    assert scales["output head/bias"] == pytest.approx(3 / 5)


def test_without_biases_there_are_none() -> None:
    encoding = config(hidden=((2, 2),), biases=False)
    phenotype = encoding.develop(sampled(encoding))
    assert [p.role for p in phenotype.parameters((1, 3, 3), 2)] == ["linear/weight", "head/weight"]
    assert encoding.painter.n_outputs == 1


def test_the_digest_is_that_of_what_is_painted() -> None:
    encoding = config(hidden=((2, 2),))
    genomes = [sampled(encoding, seed, seed) for seed in range(20)]
    digests = [encoding.develop(genome).digest for genome in genomes]
    assert len(set(digests)) == 20
    again = encoding.from_json(encoding.to_json(genomes[3]))
    assert encoding.develop(again).digest == digests[3]
    for field, value in (("threshold", 0.1), ("scale", 2.0), ("mode", "seeded"), ("fan_in", True)):
        other = config(hidden=((2, 2),), **{field: value})
        assert other.develop(genomes[3]).digest != digests[3], field


def test_painted_values_count_and_are_trained_where_they_are_seeded() -> None:
    for mode, held, trained in (("evolved", 4, 0), ("seeded", 4, 4), ("through", 2, 2)):
        encoding = config(hidden=((2, 2),), mode=mode)
        phenotype = encoding.develop(sampled(encoding))
        found = phenotype.parameters((1, 3, 3), 2)
        assert phenotype.n_parameters((1, 3, 3), 2) == 10 * 4 + 5 * 2
        assert (len(found), sum(parameter.trainable for parameter in found)) == (held, trained)


def test_the_number_of_outputs_must_be_known() -> None:
    encoding = HyperNeat()
    with pytest.raises(ValueError, match="n_outputs: expected the number of outputs"):
        encoding.develop(sampled(encoding))


def test_one_genome_paints_at_any_resolution() -> None:
    """Where two resolutions share places, they share weights."""
    small = HyperNeat(inputs="square", outputs="square", biases=False).for_task((9,), 9)
    large = small.for_task((25,), 25)
    genome = sampled(small, 1, 30)
    few, many = (weights_by_hand(paints(one, genome)["output head/weight"]) for one in (small, large))
    shared = [at for at in range(25) if at // 5 % 2 == 0 and at % 5 % 2 == 0]
    np.testing.assert_allclose(many[np.ix_(shared, shared)], few)
    assert len(np.unique(few)) > 9


# Seeds


def test_a_local_seed_connects_near_places_alone() -> None:
    encoding = HyperNeat(inputs="square", outputs="square", leo="local", biases=False).for_task((25,), 25)
    for seed in range(2):
        paint = paints(encoding, sampled(encoding, seed))["output head/weight"]
        found = weights_by_hand(paint)
        places = np.array(paint.sources.places)[:, :2]
        apart = np.square(places[:, None] - places[None])
        near = np.exp(-apart).sum(-1) > 1.5
        assert (found[~near] == 0).all()
        assert (found[near] != 0).mean() > 0.9
        assert 0.1 < near.mean() < 0.5


def test_a_locally_seeded_genome_is_one_like_others() -> None:
    for bias in ("input", "neuron", "both", "none"):
        encoding = config(leo="local", cppn=Cppn(bias=bias))
        genome = sampled(encoding, 3, 20)
        assert encoding.from_json(encoding.to_json(genome)) == genome
        assert encoding.develop(sampled(encoding, 4)).shapes((1, 3, 3), 2)["output"] == (2,)


# The encoding


def test_abilities() -> None:
    assert config().abilities == {WEIGHTED, MEASURES_MANY, VARIES_MANY, FIXED}
    assert config(mode="seeded").abilities == {WEIGHTED, MEASURES_MANY, VARIES_MANY}
    assert config(mode="through").abilities == {WEIGHTED, MEASURES_MANY, VARIES_MANY, LEARNS}


def test_a_genome_of_another_substrate_is_refused() -> None:
    data = config((2, 3, 3)).to_json(sampled(config((2, 3, 3))))
    with pytest.raises(ValueError, match="expected a CPPN of 6 inputs and 2 outputs, got 8 and 2"):
        config().from_json(data)


def test_a_recurrent_cppn_cannot_paint() -> None:
    with pytest.raises(ValueError, match="expected a CPPN without cycles"):
        HyperNeat(cppn=Cppn(recurrent=True))


def test_sheets_are_hashed_once_and_equal_by_value() -> None:
    sheet = grid(3, 3)
    assert hash(Sheet(sheet.places)) == hash(sheet)
    assert Sheet(sheet.places) == sheet
    assert Sheet(sheet.places).digest == sheet.digest != grid(3, 4).digest
    assert substrate((1, 3, 3), 2).connections()[0].sources is substrate((1, 3, 3), 2).connections()[0].sources


def test_a_spec_lays_it_out_and_names_what_is_wrong_in_it() -> None:
    table = {"name": "hyperneat", "hidden": [{"channels": 2}, [3, 3], "same"], "cppn": {"max_nodes": 9}}
    found = parse({"encoding": table}).encoding
    assert found == HyperNeat(hidden=(Conv(2), (3, 3), "same"), cppn=Cppn(max_nodes=9))
    with pytest.raises(SpecError, match=r"encoding.cppn.max_node: unknown key; did you mean max_nodes\?"):
        parse({"encoding": {**table, "cppn": {"max_node": 9}}})
    with pytest.raises(SpecError, match=r"encoding.hiden: unknown key; did you mean hidden\?"):
        parse({"encoding": {"name": "hyperneat", "hiden": []}})
