"""A spec meets its task: what does not fit it is refused; what it measures may be pursued."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import evonas.network.activations
import genomes.neurons
from evonas.campaign import Campaign, SpecError, retrain
from evonas.campaign.opening import fitted
from evonas.campaign.spec import parse
from evonas.campaign.verify import damage
from genomes.neurons import BUILT_IN, UNREGISTERED

pytestmark = pytest.mark.usefixtures("fast_disk")


@pytest.mark.parametrize("name", ["neat", "cppn", "hyperneat", "es_hyperneat"])
def test_a_number_of_outputs_that_is_not_the_tasks_is_refused(name: str) -> None:
    spec = parse({"task": "xor", "encoding": {"name": name, "n_outputs": 3}})
    task = spec.task.load()
    with pytest.raises(SpecError) as caught:
        fitted(spec, task)
    assert str(caught.value) == "encoding.n_outputs: expected 1, as the task has, got 3; remove it"
    right = parse({"task": "xor", "encoding": {"name": name, "n_outputs": 1}})
    assert fitted(fitted(right, task), task) == fitted(right, task)


def test_a_painter_of_one_task_paints_for_another(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"search": "random", "budget": {"evaluations": 2}}
    encoding = {"name": "hyperneat", "inputs": "square", "outputs": "square"}
    Campaign({"name": "boxes", "resolution": 7}, encoding, **fields).run(tmp_path / "small")
    large = retrain(tmp_path / "small", changes={"task.resolution": 9}, repeats=1, out=tmp_path / "large").run()
    assert large.spec.encoding.n_outputs == 81
    assert large.best is not None
    assert large.best.metrics["parameters"] == 81 * 81 + 81


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"objectives": {"maximize": ["squared"]}},
            "objectives: expected metrics of this task among fitness, solved, squares, accuracy, parameters, macs, "
            "peak_memory, latency_1, latency_64, got 'squared'; did you mean squares?",
        ),
        ({"objectives": {"maximize": ["fitness"], "minimize": ["loss"]}}, "got 'loss'; name one"),
        (
            {"budget": {"evaluations": 5, "until": "acuracy >= 1"}},
            "budget.until: expected a metric among fitness, solved, squares, accuracy, parameters, macs, peak_memory, "
            "got acuracy; did you mean accuracy?",
        ),
    ],
    ids=["misspelt", "of another kind", "a goal"],
)
def test_a_metric_that_a_problem_does_not_measure_is_refused(
    fields: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as caught:
        Campaign("xor", "neat", "random", **fields).run(tmp_path / "out")
    assert expected in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_all_that_a_problem_measures_may_be_pursued(tmp_path: Path) -> None:
    objectives = {"maximize": ["squares", "accuracy"], "minimize": ["parameters"]}
    made = Campaign("xor", "neat", "random", objectives=objectives, budget={"evaluations": 5}).run(tmp_path / "out")
    assert made.best is not None
    assert made.best.fitness == max(one.metrics["squares"] for one in made.individuals)
    assert len(made.front) >= 1
    assert Campaign.load(tmp_path / "out").run().best == made.best


@pytest.fixture
def elsewhere() -> Iterator[Callable[[], None]]:
    """What makes this process forget the activations that it registered, as another one never knew them."""
    known = (evonas.network.activations.ACTIVATIONS, genomes.neurons.ACTIVATIONS)

    def forget() -> None:
        for words in known:
            for name in words.keys() - BUILT_IN:
                del words[name]
        UNREGISTERED.clear()

    yield forget
    forget()


def test_a_record_whose_activation_is_not_registered_is_read_and_not_gone_on_with(
    tmp_path: Path, elsewhere: Callable[[], None]
) -> None:
    def registered() -> None:
        evonas.register_activation("bump", numpy=lambda x: 1 / (1 + x * x), torch=lambda x: 1 / (1 + x * x))

    registered()
    encoding = {"name": "neat", "output_activations": ["bump"]}
    ran = Campaign("xor", encoding, search="random", budget={"evaluations": 4}).run(tmp_path / "record")
    elsewhere()
    with pytest.raises(SpecError, match="bump"):
        parse({"task": "xor", "encoding": encoding})
    loaded = Campaign.load(tmp_path / "record")
    assert loaded.best == ran.best
    assert damage(tmp_path / "record") == []
    genome = loaded.genome(loaded.individuals[0])
    with pytest.raises(ValueError, match=r"expected bump to be registered.*call evonas\.register_activation first"):
        loaded.spec.encoding.develop(genome).run([[0.0, 1.0]])
    with pytest.raises(ValueError, match="expected bump to be registered"):
        evonas.network.activations.activation("bump")
    with pytest.raises(SpecError, match="expected bump to be registered"):
        loaded.run()
    assert len(Campaign.load(tmp_path / "record").individuals) == 4
    registered()
    assert loaded.spec.encoding.develop(genome).run([[0.0, 1.0]]).shape == (1, 1)


def test_a_search_that_cannot_use_the_encoding_leaves_no_record(tmp_path: Path) -> None:
    campaign = Campaign("xor", "neat", "controller", budget={"evaluations": 5})
    message = "search.name: expected an encoding with decisions, got neat; use another search"
    with pytest.raises(SpecError, match=message):
        campaign.run(tmp_path / "out")
    with pytest.raises(SpecError, match=message), campaign.by_hand(tmp_path / "out"):
        pass
    assert not (tmp_path / "out").exists()
