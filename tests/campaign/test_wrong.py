"""What is wrong with a spec is said in one line that names every field."""

from typing import Any

import pytest

from evonas.campaign import Campaign, CampaignBudget, SpecError
from evonas.campaign.spec import parse
from evonas.campaign.wrong import NEAT_PYTHON
from evonas.search.speciated import SpeciatedConfig
from evonas.training import Training
from genomes.neat import Neat
from genomes.neat.encoding import USUAL

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown key", {"sede": 1}, "sede: unknown key; did you mean seed?"),
    ("an unknown table", {"trainig": {}}, "trainig: unknown key; did you mean training?"),
    ("in training", {"training": {"epoch": 1}}, "training.epoch: unknown key; did you mean epochs?"),
    ("in a search", {"search": {"populaton": 1}}, "search.populaton: unknown key; did you mean population?"),
    (
        "of another search",
        {"search": {"name": "ageing", "tournament": 2}},
        "search.tournament: unknown key; known are lag, name, population, sample_size",
    ),
    ("in a task", {"task": {"split_sed": 1}}, "task.split_sed: unknown key; did you mean split_seed?"),
    ("in the encoding", {"encoding": {"width": [4]}}, "encoding.width: unknown key; did you mean widths?"),
    ("in evaluation", {"evaluation": {"devize": "cpu"}}, "evaluation.devize: unknown key; did you mean device?"),
    ("in the budget", {"budget": {"evals": 3}}, "budget.evals: unknown key;"),
    ("in the objectives", {"objectives": {"maximise": ["loss"]}}, "objectives.maximise: unknown key; did you mean max"),
    (
        "a threshold of neat-python",
        {"search": {"name": "speciated", "compatibility_threshold": 3}},
        "search.compatibility_threshold: unknown key; here it is search.threshold "
        "(docs/neat.md has neat-python's others)",
    ),
    ("at the top", {"pop_size": 9}, "pop_size: unknown key; here it is search.population (docs/neat.md"),
    (
        "a rate of neat-python",
        {"encoding": {"name": "neat", "conn_add_prob": 0.5}},
        "encoding.conn_add_prob: unknown key; here it is encoding.mutations.add_connection (docs/neat.md",
    ),
    (
        "inputs",
        {"encoding": {"name": "neat", "num_inputs": 3}},
        "encoding.num_inputs: unknown key; here the task says it (docs/neat.md",
    ),
    ("of a search without it", {"search": {"name": "ageing", "elitism": 2}}, "search.elitism: unknown key; known are"),
    (
        "a population that is none",
        {"task": "xor", "encoding": "neat", "search": {"name": "speciated", "population": -5}},
        "search.population: input should be greater than or equal to 1, got -5",
    ),
    (
        "an activation of one's own",
        {"encoding": {"name": "neat", "activations": ["mine"]}},
        ", or one of your own (evonas.register_activation), each once, got ['mine']; did you mean sine?",
    ),
    (
        "an activation unlike any",
        {"encoding": {"name": "es_hyperneat", "activation": "zzz"}},
        ", or one of your own (evonas.register_activation), got 'zzz'; correct it",
    ),
    (
        "an activation of layers, which nobody registers",
        {"encoding": {"name": "hyperneat", "activation": "tahn"}},
        "activation: expected one of relu, silu, tanh, none, got 'tahn'; did you mean tanh?",
    ),
    ("nothing alike", {"zzz": 1}, "zzz: unknown key; known are budget, control,"),
    (
        "an unknown search",
        {"search": "agein"},
        "search.name: expected one of evolution, ageing, speciated, random, control",
    ),
    ("an unknown task", {"task": {"name": "digit"}}, "task.name: expected one of digits, breast_cancer, iris, wine"),
    (
        "augmentation of a text",
        {"task": "text", "encoding": "recurrent", "training": {"flip": True}},
        "training.flip: expected images to use it on, got a text; remove it",
    ),
    ("an unknown encoding", {"encoding": "net"}, "did you mean neat?"),
    ("an unknown word", {"training": {"optimizer": "adam"}}, "'sgd' or 'adamw', got 'adam'; did you mean adamw?"),
    (
        "an unknown mode",
        {"encoding": {"name": "hyperneat", "mode": "trough"}},
        "encoding.mode: input should be 'evolved', 'seeded' or 'through', got 'trough'; did you mean through?",
    ),
    ("a task without its path", {"task": "arrays"}, "task.path: missing; add it"),
    ("a word for a number", {"seed": "one"}, "seed: input should be a valid integer"),
    ("a fraction for a number", {"seed": 1.5}, "got 1.5"),
    ("a negative seed", {"seed": -1}, "seed: input should be greater than or equal to 0, got -1"),
    ("no epoch", {"training": {"epochs": -1}}, "training.epochs: input should be greater than or equal to 0, got -1"),
    ("an unknown optimizer", {"training": {"optimizer": "adam"}}, "training.optimizer: input should be 'sgd' or 'adam"),
    ("a learning rate of NaN", {"training": {"learning_rate": float("nan")}}, "training.learning_rate: "),
    ("a probability above 1", {"search": {"crossover": 1.5}}, "search.crossover: input should be less than or equal"),
    ("no lag", {"search": {"name": "random", "lag": 0}}, "search.lag: input should be greater than or equal to 1, got"),
    (
        "a goal that is none",
        {"budget": {"evaluations": 9, "until": "solved"}},
        "budget.until: expected METRIC <= NUMBER or METRIC >= NUMBER, such as parameters <= 100_000, got 'solved'",
    ),
    (
        "a goal nobody measures",
        {"budget": {"evaluations": 9, "until": "acuracy >= 0.9"}},
        "budget.until: expected a metric among accuracy, loss, parameters, macs, peak_memory, got acuracy; "
        "did you mean accuracy?",
    ),
    (
        "a goal misspelt",
        {"task": "xor", "encoding": "neat", "budget": {"evaluations": 9, "until": "solvd >= 1"}},
        "budget.until: expected a metric among fitness, solved, parameters, macs, peak_memory, got solvd; "
        "did you mean solved?",
    ),
    (
        "a name that leads elsewhere",
        {"name": ".."},
        "name: string should match pattern",
    ),
    (
        "weights beyond their limit",
        {"task": "xor", "encoding": {"name": "neat", "weight_init": 9, "limit": 8}},
        "encoding: weight_init: expected at most the limit 8, beyond which no mutation leads, got 9; lower it",
    ),
    (
        "a goal alone",
        {"budget": {"until": "accuracy >= 1"}},
        "budget: expected evaluations, epochs or seconds, got none",
    ),
    (
        "layers on a problem",
        {"task": "xor", "encoding": "dag"},
        "encoding.name: expected one of neat, cppn, hyperneat, es_hyperneat, whose genomes say what the weights are, "
        "for nothing to be trained, as xor is judged, got dag; use one",
    ),
    (
        "layers untrained",
        {"training": {"epochs": 0}},
        "encoding.name: expected one of neat, cppn, hyperneat, es_hyperneat",
    ),
    (
        "training on a problem",
        {"task": "xor", "encoding": "neat", "training": {"epochs": 5, "flip": True, "batch_size": 64}},
        "spec: training.epochs, training.flip: expected none, as xor trains nothing, got a value; remove it",
    ),
    *(
        (
            f"weights painted to be trained by nothing: {mode}",
            {"task": "boxes", "encoding": {"name": "hyperneat", "mode": mode}},
            f"encoding.mode: expected evolved where nothing is trained, got {mode}; remove it",
        )
        for mode in ("seeded", "through")
    ),
    (
        "weights painted to be trained for no epochs",
        {"encoding": {"name": "hyperneat", "mode": "seeded"}, "training": {"epochs": 0}},
        "encoding.mode: expected evolved where nothing is trained, got seeded; remove it, or set training.epochs",
    ),
    (
        "epochs of a problem",
        {"task": "xor", "encoding": "neat", "budget": {"epochs": 5}},
        "budget.epochs: expected evaluations or seconds",
    ),
    (
        "a timeout of many",
        {"task": "xor", "encoding": "neat", "evaluation": {"timeout": 5}},
        "evaluation.timeout: expected none",
    ),
    (
        "a latency of many",
        {"task": "xor", "encoding": "neat", "objectives": {"minimize": ["latency_1"]}},
        "objectives: expected no latency",
    ),
    ("an empty budget", {"budget": {}}, "budget: expected evaluations, epochs or seconds, got none of them; give one"),
    ("a budget of no time", {"budget": {"seconds": 0}}, "budget.seconds: input should be greater than 0, got 0"),
    ("endless time", {"budget": {"seconds": float("inf")}}, "budget.seconds: input should be a finite number"),
    ("no objective", {"objectives": {"maximize": []}}, "objectives: expected one metric or more among accuracy, loss,"),
    (
        "an unknown objective",
        {"objectives": {"minimize": ["size"]}},
        "objectives: expected metrics of this task among ac",
    ),
    ("a misspelt objective", {"objectives": {"minimize": ["latency1"]}}, "got 'latency1'; did you mean latency_1?"),
    ("a number as objective", {"objectives": {"minimize": [3]}}, "objectives.minimize.0: input should be a valid str"),
    (
        "an objective twice",
        {"objectives": {"maximize": ["loss"], "minimize": ["macs", "loss"]}},
        "objectives: expected every metric once, got loss again; remove one",
    ),
    (
        "several objectives for one search",
        {"search": "ageing", "objectives": {"maximize": ["accuracy"], "minimize": ["parameters"]}},
        "spec: search ageing needs one objective, got accuracy, parameters; give weights or use evolution",
    ),
    (
        "a weight too few",
        {"objectives": {"maximize": ["accuracy"], "minimize": ["macs"], "weights": {"accuracy": 1}}},
        "objectives: expected a weight for every objective, got none for macs; add it",
    ),
    (
        "a weight of another",
        {"objectives": {"minimize": ["parameters"], "weights": {"parameter": 1, "parameters": 1}}},
        "objectives: expected weights of objectives among parameters, got 'parameter'; did you mean parameters?",
    ),
    (
        "a weight of nothing",
        {"objectives": {"weights": {"accuracy": 0}}},
        "objectives.weights.accuracy: input should be greater than 0, got 0",
    ),
    ("endless weight", {"objectives": {"weights": {"accuracy": float("inf")}}}, "objectives.weights.accuracy: input"),
    *(
        (
            f"no constraint: {text}",
            {"objectives": {"constraints": [text]}},
            f"objectives.constraints: expected METRIC <= NUMBER or METRIC >= NUMBER, such as parameters <= 100_000, "
            f"got {text!r}",
        )
        for text in (
            "macs",
            "macs < 3",
            "macs <= many",
            "macs <= -1",
            "3 >= macs",
            "",
            "macs <= 1__0",
            "1 <= macs <= 2",
        )
    ),
    ("a constraint of no text", {"objectives": {"constraints": [3]}}, "objectives.constraints.0: input should be a va"),
    (
        "a constraint after training",
        {"objectives": {"constraints": ["loss <= 1"]}},
        "objectives.constraints: expected a metric known before training among parameters, macs, peak_memory, "
        "latency_1, latency_64, got loss; make it an objective",
    ),
    (
        "a constraint of nothing known",
        {"objectives": {"constraints": ["peak_memorie <= 1"]}},
        "got 'peak_memorie'; did you mean peak_memory?",
    ),
    ("a name that is a path", {"name": "../else"}, "name: string should match pattern"),
    ("an empty name", {"name": ""}, "name: string should match pattern"),
    ("a value for a table", {"training": 3}, "training: "),
    ("a number for a search", {"search": 3}, "search: "),
    ("a list for a task", {"task": [1]}, "task: "),
    ("widths in disorder", {"encoding": {"widths": [8, 4]}}, "encoding: widths: expected ascending numbers"),
    ("an unknown control", {"control": "yes"}, "control: input should be 'random' or 'none', got 'yes'"),
    ("no best", {"keep_best": 0}, "keep_best: input should be greater than or equal to 1, got 0"),
]


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_field_is_one_line_that_names_it(data: dict[str, Any], expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(data)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("spec: ")
    assert expected in message
    assert "pydantic" not in message


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        parse({"seed": -1, "training": {"epochs": -1, "batch": 2}, "search": {"name": "ageing", "population": 0}})
    for name in ("seed: ", "training.epochs: ", "training.batch: ", "search.population: "):
        assert str(caught.value).count(name) == 1


HYPERNEAT: list[tuple[dict[str, Any], str]] = [
    (
        {"hidden": [[4], "sam"]},
        "encoding.hidden.1: expected a list or a table of channels, kernel, stride or 'same', got 'sam'; "
        "did you mean same?",
    ),
    (
        {"hidden": [3]},
        "encoding.hidden.0: expected a list or a table of channels, kernel, stride or 'same', got 3; correct it",
    ),
    (
        {"hidden": [{"channel": 3}]},
        "encoding.hidden.0.channels: missing; add it; encoding.hidden.0.channel: unknown key; did you mean channels?",
    ),
    (
        {"hidden": [[4.5]]},
        "encoding.hidden.0.0: input should be a valid integer, got a number with a fractional part, got 4.5",
    ),
    (
        {"hidden": [{"channels": 4, "kernel": 2}]},
        "encoding.hidden.0: hidden: expected 1 to 4096 channels, an odd kernel of 1 to 31 and a stride of 1 to 31, got "
        "4, 2 and 1",
    ),
    (
        {"outputs": "squar"},
        "encoding.outputs: expected 'line' or 'square' or a list, got 'squar'; did you mean square?",
    ),
    (
        {"weight_init": 2, "limit": 8},
        "encoding.weight_init: unknown key; did you mean cppn.weight_init?; "
        "encoding.limit: unknown key; did you mean cppn.limit?",
    ),
    (
        {"zzz": 2, "qqq": 8},
        "encoding.zzz, encoding.qqq: unknown keys; known are activation, biases, cppn, fan_in, hidden, input_shape, "
        "inputs, leo, mode, n_outputs, name, outputs, queries, scale, separate, threshold",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), HYPERNEAT)
def test_what_is_wrong_within_an_encoding_is_said_once_in_our_words(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse({"encoding": {"name": "hyperneat", **fields}})
    assert str(caught.value) == f"spec: {expected}"


def test_python_says_the_same() -> None:
    with pytest.raises(SpecError, match=r"spec: sede: unknown key; did you mean seed"):
        Campaign(sede=1)
    with pytest.raises(SpecError, match=r"got a tuple of 3"):
        Campaign(([1], [2], [3]))


def test_fields_of_training_that_say_nothing_new_are_no_error_on_a_problem() -> None:
    spec = parse({"task": "xor", "encoding": "neat", "training": {"epochs": 0}})
    assert parse(spec.model_dump(mode="json", exclude_none=True)) == spec
    assert parse({"task": "xor", "encoding": "neat", "training": Training().model_dump()}).untrained
    assert parse({"encoding": {"name": "hyperneat"}, "training": {"epochs": 3, "batch_size": 8}}).untrained


def test_all_that_neat_python_has_is_called_something_there_is() -> None:
    fields = {name: set(Neat.__dataclass_fields__) for name in ("encoding",)}
    fields |= {"search": set(SpeciatedConfig.model_fields), "budget": set(CampaignBudget.model_fields)}
    for name in filter(None, NEAT_PYTHON.values()):
        table, field, *inner = name.split(".")
        assert field in fields[table], name
        assert not inner or inner[0] in USUAL, name


def test_a_wrong_population_is_said_of_alone() -> None:
    with pytest.raises(SpecError) as caught:
        parse({"task": "xor", "encoding": "neat", "search": {"name": "speciated", "population": -5}})
    assert "lag" not in str(caught.value)
