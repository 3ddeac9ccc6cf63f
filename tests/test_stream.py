"""Streams of random numbers."""

import random
import subprocess
import sys

import numpy as np
import pytest

from evonas.stream import global_random, stream


def draws(seed: int, *purpose: str | int) -> tuple[int, ...]:
    return tuple(stream(seed, *purpose).integers(2**62, size=4).tolist())


def test_the_values_of_a_stream_are_permanent() -> None:
    """What is written down in campaigns depends on them: a change here breaks resuming."""
    golden: dict[tuple[str | int, ...], list[int]] = {
        (): [2937467307694268567, 1244171615822312904],
        ("ask", 412): [2579178096717742704, 3585776036589383385],
        ("generation", 3): [1518364494318847920, 4453917485437152277],
        ("train", 0): [3594587455907238547, 3774358172739626424],
        ("init", 7, "a", "conv/weight"): [3873696317221850657, 3586998086068883783],
    }
    assert {purpose: list(draws(0, *purpose)[:2]) for purpose in golden} == golden
    with global_random(stream(0, "ask", 412)):
        assert random.random() == 0.7762174372133298


def test_a_stream_is_its_purposes_alone() -> None:
    before = draws(1, "train", 3)
    stream(1, "train", 2).standard_normal(100)
    np.random.default_rng(0)
    assert draws(1, "train", 3) == before
    assert draws(1, "train", np.int64(3)) == before


def test_streams_differ_by_seed_and_purpose() -> None:
    purposes: list[tuple[str | int, ...]] = [
        (),
        ("ask",),
        ("ask", 0),
        ("ask", 1),
        ("ask", 10),
        ("ask", 1, 0),
        ("train", 0),
        ("train", 1),
        ("init", 0, "a", "conv/weight"),
        ("init", 0, "aconv/weight"),
        ("init", 0, "conv/weight", "a"),
        ("init0", "a", "conv/weight"),
    ]
    found = {draws(seed, *purpose) for seed in (0, 1, 2**31, 2**64 + 1) for purpose in purposes}
    assert len(found) == 4 * len(purposes)


def test_neighbouring_streams_are_unrelated() -> None:
    values = np.array([stream(0, "train", at).standard_normal(200) for at in range(100)])
    correlations = np.corrcoef(values)[np.triu_indices(100, 1)]
    assert np.abs(correlations).max() < 0.4
    assert abs(values.mean()) < 4 / np.sqrt(values.size)


def test_a_stream_is_the_same_in_another_process() -> None:
    script = "from evonas.stream import stream; print(stream(7, 'ask', 412).integers(2**62, size=4).tolist())"
    answers = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert answers == {str(list(draws(7, "ask", 412)))}


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        stream(-1, "ask")


def test_the_global_generator_is_seeded_and_put_back() -> None:
    random.seed(5)
    expected = [random.random() for _ in range(4)]
    random.seed(5)
    found = [random.random()]
    inside = []
    for _ in range(2):
        with global_random(stream(0, "ask", 1)):
            inside.append([random.random() for _ in range(10)])
        found.append(random.random())
    with pytest.raises(RuntimeError, match="inside"):
        inside.append(interrupted())
    found.append(random.random())
    assert found == expected
    assert inside[0] == inside[1]


def interrupted() -> list[float]:
    with global_random(stream(0, "ask", 2)):
        random.random()
        raise RuntimeError("inside")


def test_the_global_generator_may_be_seeded_within_itself() -> None:
    with global_random(stream(0, "outer")):
        before = random.getstate()
        with global_random(stream(0, "inner")):
            random.random()
        assert random.getstate() == before
