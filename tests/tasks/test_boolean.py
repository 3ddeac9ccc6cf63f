"""Truth tables: cases, scores and what a spec may ask for."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from evonas.campaign import Spec, SpecError
from evonas.campaign.spec import parse
from evonas.network import NeuronPopulation
from evonas.tasks import Boolean, Parity, Xor
from evonas.tasks.boolean import TruthTable
from genomes.neurons import NeuronGraph
from tests.tasks.judged import Linear

AND, OR = (0, 0, 0, 1), (0, 1, 1, 1)


def judged(table: Any, networks: Any) -> dict[str, list[float]]:
    found = table.score(networks, np.zeros(networks.n, np.int64))
    assert {one.shape for one in found.values()} == {(networks.n,)}
    assert found.keys() == table.test(networks, np.ones(networks.n, np.int64)).keys()
    return {name: values.tolist() for name, values in found.items()}


def table_of(config: Any) -> TruthTable:
    table = config.load().problem
    assert isinstance(table, TruthTable)
    return table


# Tables


def test_cases_count_in_binary_from_the_first_input() -> None:
    assert table_of(Xor()).cases.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert table_of(Parity(bits=3)).cases[6].tolist() == [1, 1, 0]
    assert TruthTable(((0, 1),)).cases.tolist() == [[0], [1]]


def test_named_tables_are_what_they_are_called() -> None:
    assert table_of(Xor()).outputs == table_of(Parity(bits=2)).outputs == ((0, 1, 1, 0),)
    assert table_of(Parity(bits=3)).outputs == ((0, 1, 1, 0, 1, 0, 0, 1),)
    for n in (4, 7):
        table = table_of(Parity(bits=n))
        assert table.outputs[0] == tuple(int(case.sum()) % 2 for case in table.cases)


def test_a_task_has_the_shape_of_its_table_and_a_fingerprint_of_all_that_decides() -> None:
    half_adder = Boolean(outputs=((0, 1, 1, 0), AND)).load()
    assert (half_adder.input_shape, half_adder.n_outputs, half_adder.kind) == ((2,), 2, "behaviour")
    tasks = [half_adder, Xor().load(), Xor(steps=2).load(), Boolean(outputs=(AND,)).load(), Parity().load()]
    assert len({one.fingerprint for one in tasks}) == len(tasks)
    assert Parity(bits=2).load().fingerprint == Xor().load().fingerprint


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ([0, 1, 1], "2, 4, 8 and so on"),
        ([[0, 1], [0, 1, 1, 0]], "got 2 and 4"),
        ([], "got none"),
        ([0], "got 1"),
        ([0, 2], "less than or equal to 1"),
        ([0, True, 0.5, 1], "valid integer"),
        ("0110", "valid tuple"),
    ],
)
def test_a_table_that_is_none_is_refused(outputs: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Boolean(outputs=outputs)
    with pytest.raises(SpecError, match=r"task\.outputs"):
        parse({"task": {"name": "boolean", "outputs": outputs}, "encoding": "neat"})


def test_a_spec_may_give_one_output_as_a_list_of_bits() -> None:
    spec = Spec.model_validate({"task": {"name": "boolean", "outputs": [0, 0, 0, 1]}, "encoding": "neat"})
    assert spec.task == Boolean(outputs=(AND,))
    with pytest.raises(ValidationError, match="bits"):
        Parity(bits=13)


# Scores


def test_scores_are_those_computed_by_hand() -> None:
    # x + y for exclusive or: outputs 0, 1, 1, 2; and constants 0.5 and 3.
    gains = torch.tensor([[[1.0], [1.0]]])
    assert judged(table_of(Xor()), Linear(gains)) == {
        "fitness": [4.0],  # (4 - 2)²
        "solved": [0.0],
        "squares": [0.0],  # 4 - 2²
        "accuracy": [0.75],
    }
    still = torch.zeros(1, 2, 1)
    assert judged(table_of(Xor()), Linear(still, offset=0.5)) == {
        "fitness": [4.0],
        "solved": [0.0],
        "squares": [3.0],
        "accuracy": [0.5],  # A half counts as 1.
    }
    assert judged(table_of(Xor()), Linear(still, offset=3.0))["fitness"] == [0.0]  # Σ e is 10.


def test_a_network_is_judged_by_all_outputs_and_as_if_it_were_alone() -> None:
    # Half the sum and a quarter above it: right for or at the first output, for and at the second, for both, for none.
    table = TruthTable((OR, AND))
    gains = torch.tensor(
        [[[0.5, 0.0], [0.5, 0.0]], [[0.0, 0.3], [0.0, 0.3]], [[0.5, 0.3], [0.5, 0.3]], [[0.0, 0.0], [0.0, 0.0]]]
    )
    found = judged(table, Linear(gains))
    assert found["solved"] == [0.0, 0.0, 1.0, 0.0]
    assert found["accuracy"] == pytest.approx([7 / 8, 5 / 8, 1.0, 4 / 8])
    errors = [0.5 + 0.5 + 1.0, 3.0 + 0.3 + 0.3 + 0.4, 1.0 + 1.0, 4.0]
    assert found["fitness"] == pytest.approx([(8 - error) ** 2 for error in errors])
    for at in range(4):
        alone = {name: values[at : at + 1] for name, values in found.items()}
        assert judged(table, Linear(gains[at : at + 1])) == alone


def test_a_recurrent_network_is_given_each_case_as_often_as_asked() -> None:
    class Counting(Linear):
        def step(self, inputs: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
            n = 0 if state is None else state
            return torch.full((1, len(inputs), 1), float(n)), n + 1

    networks = Counting(torch.zeros(1, 2, 1))
    for steps in (2, 5):  # Puts out 1, then 4, in all four cases.
        assert judged(TruthTable(((1, 1, 1, 1),), steps), networks)["squares"] == [4 - 4 * (steps - 2.0) ** 2]


def graph(recurrent: bool) -> NeuronGraph:
    """Two steps from the inputs: or less twice and."""
    return NeuronGraph(
        n_inputs=2,
        outputs=(2,),
        ids=("out", "and"),
        activations=("step", "step"),
        aggregations=("sum", "sum"),
        biases=(-0.5, -1.5),
        responses=(1.0, 1.0),
        sources=(0, 1, 0, 1, 3),
        targets=(2, 2, 3, 3, 2),
        weights=(1.0, 1.0, 1.0, 1.0, -2.0),
        markings=tuple("abcde"),
        recurrent=recurrent,
    )


def test_a_network_made_by_hand_solves_exclusive_or() -> None:
    solved = {"fitness": [16.0], "solved": [1.0], "squares": [4.0], "accuracy": [1.0]}
    assert judged(table_of(Xor()), NeuronPopulation([graph(recurrent=False)])) == solved
    recurrent = NeuronPopulation([graph(recurrent=True)])
    assert judged(table_of(Xor()), recurrent)["accuracy"] == [0.75], "the hidden neuron is not heard in one step"
    assert judged(table_of(Xor(steps=2)), recurrent) == solved
