"""A spec: what it means, and how it is read from a file."""

from pathlib import Path
from typing import Any

import pytest

from evonas.campaign import Campaign, Spec, SpecError
from evonas.campaign.spec import parse, read, value_of
from evonas.search import AgeingConfig, EvolutionConfig, RandomConfig
from evonas.tasks import Arrays, Digits
from genomes import Dag


def test_words_mappings_and_objects_say_the_same() -> None:
    expected = Spec(task=Digits(), search=AgeingConfig(), encoding=Dag())
    assert parse({"search": "ageing"}) == expected
    assert parse({"search": {"name": "ageing"}, "task": {"name": "digits"}, "encoding": "dag"}) == expected
    assert Campaign(search=AgeingConfig(), encoding=Dag()).spec == expected
    assert isinstance(parse({}).search, EvolutionConfig)
    assert isinstance(parse({"search": {"name": "random"}}).search, RandomConfig)
    assert isinstance(parse({"task": {"path": "a.npz"}}).task, Arrays)
    assert parse({"search": {"population": 3}}).search == EvolutionConfig(population=3)


def test_fitness_follows_the_objectives() -> None:
    metrics = {"accuracy": 0.5, "loss": 2.0, "parameters": 10.0}
    assert parse({}).objectives.fitness(metrics) == 0.5
    assert parse({"objectives": {"minimize": ["loss"]}}).objectives.fitness(metrics) == -2.0
    assert parse({"objectives": {"maximize": ["parameters"]}}).objectives.fitness(metrics) == 10.0
    assert parse({"objectives": {"constraints": ["macs <= 1"]}}).objectives.names == ("accuracy",)


def test_several_objectives_are_values_and_the_first_is_the_fitness() -> None:
    metrics = {"accuracy": 0.5, "loss": 2.0, "parameters": 10.0, "macs": 3.0}
    objectives = parse({"objectives": {"minimize": ["parameters", "loss"], "maximize": ["accuracy"]}}).objectives
    assert objectives.several
    assert objectives.values(metrics) == (0.5, -10.0, -2.0)
    assert (objectives.fitness(metrics), objectives.label) == (0.5, "accuracy")
    assert objectives.rank(7, metrics) == (0.5, -2.0, -7)


def test_of_equally_fit_ones_that_which_solves_a_problem_is_the_best() -> None:
    objectives = parse({"task": "xor", "encoding": "neat"}).objectives
    lucky, solved = objectives.rank(3, {"fitness": 9.0, "solved": 0.0}), objectives.rank(7, {"fitness": 9, "solved": 1})
    assert lucky < solved < objectives.rank(8, {"fitness": 9.5, "solved": 0.0})


def test_weights_make_one_fitness() -> None:
    table = {"maximize": ["accuracy"], "minimize": ["parameters"], "weights": {"parameters": 0.01, "accuracy": 2}}
    spec = parse({"search": "ageing", "objectives": table})
    assert not spec.objectives.several
    assert spec.objectives.values({"accuracy": 0.5, "parameters": 10.0}) == (pytest.approx(0.9),)
    assert spec.objectives.label == "2 × accuracy − 0.01 × parameters"
    assert parse(spec.model_dump(mode="json", exclude_none=True)) == spec


@pytest.mark.parametrize(
    ("text", "metric", "inside", "outside"),
    [
        ("parameters <= 100_000", "parameters", 100_000, 100_001),
        (" macs≤1e6 ", "macs", 1e6, 1e6 + 1),
        ("peak_memory >= 4.5E3", "peak_memory", 4500, 4499),
        ("latency_1 ≥ 0.002", "latency_1", 0.002, 0.001),
    ],
)
def test_a_constraint_is_read_as_written(text: str, metric: str, inside: float, outside: float) -> None:
    (found,) = parse({"objectives": {"constraints": [text]}}).objectives.screening.constraints
    assert found.metric == metric
    assert found.holds(inside)
    assert not found.holds(outside)


def test_only_a_clock_makes_a_campaign_timed() -> None:
    assert not parse({"budget": {"epochs": 3}}).timed
    assert parse({"budget": {"epochs": 3, "seconds": 1}}).timed
    assert parse({"evaluation": {"timeout": 1}}).timed
    assert parse({"objectives": {"minimize": ["latency_64"]}}).timed
    assert parse({"objectives": {"constraints": ["latency_1 <= 1"]}}).timed
    assert not parse({"objectives": {"minimize": ["macs"], "constraints": ["peak_memory <= 1"]}}).timed


# Files


def test_a_relative_path_starts_at_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "specs").mkdir()
    path = tmp_path / "specs" / "a.toml"
    path.write_text('[task]\npath = "../data/x.npz"\n')
    monkeypatch.chdir(tmp_path)
    for given in (path, Path("specs/a.toml")):
        task = read(given).task
        assert isinstance(task, Arrays)
        assert task.path == str(tmp_path / "data" / "x.npz")


def test_an_absolute_path_and_one_of_the_home_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    path = tmp_path / "a.toml"
    for written, expected in (("/data/x.npz", "/data/x.npz"), ("~/x.npz", str(tmp_path / "home" / "x.npz"))):
        path.write_text(f'[task]\npath = "{written}"\n')
        task = read(path).task
        assert isinstance(task, Arrays)
        assert task.path == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"seed = ", "expected TOML, got an error: "),
        (b"\xff\xfe\x00", "it is not UTF-8 text"),
        (b"[task]\n[task]\n", "expected TOML, got an error: "),
        (b"sede = 1", "a.toml: sede: unknown key"),
    ],
)
def test_a_file_that_is_no_spec_is_one_line(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read(path)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_a_directory_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"expected a spec file, found none; `evonas init` writes one"):
        read(tmp_path / "none.toml")
    with pytest.raises(SpecError, match=r"expected a readable spec file, got an error: Is a directory"):
        read(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match=r"expected a readable spec file, got an error: Not a directory"):
        read(tmp_path / "file" / "a.toml")


@pytest.mark.parametrize(
    ("file", "name"),
    [("my.toml", "my"), ("my first spec.toml", "my-first-spec"), (".toml", "toml"), ("..toml", "campaign")],
)
def test_a_file_that_names_no_campaign_gives_its_own_name(file: str, name: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text("seed = 1")
    assert read(tmp_path / file).name == name
    assert read(tmp_path / file, {"name": "else"}).name == "else"
    (tmp_path / file).write_text('name = "given"')
    assert read(tmp_path / file).name == "given"


def test_changes_replace_fields_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[training]\nepochs = 3\nshift = 1\n")
    spec = read(path, {"training.epochs": 5, "search.name": "random", "budget.epochs": 9})
    assert (spec.training.epochs, spec.training.shift) == (5, 1)
    assert spec.search == RandomConfig()
    assert (spec.budget.epochs, spec.budget.evaluations) == (9, None)
    with pytest.raises(SpecError, match=r"--set training.epochs.more: expected epochs to be a table, it is a value"):
        read(path, {"training.epochs.more": 1})
    with pytest.raises(SpecError, match=r"training.epoch: unknown key; did you mean epochs"):
        read(path, {"training.epoch": 1})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("true", True),
        ("[4, 8]", [4, 8]),
        ("{a = 1}", {"a": 1}),
        ('"3"', "3"),
        ("ageing", "ageing"),
        ("cuda:1", "cuda:1"),
        ("data/x.npz", "data/x.npz"),
        ("", ""),
        ("1\nother = 2", "1\nother = 2"),
    ],
)
def test_a_value_is_read_as_toml_or_is_a_string(text: str, value: Any) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "runs").glob("*.toml")), ids=lambda path: path.stem
)
def test_every_spec_of_ours_is_one(path: Path) -> None:
    read(path)


@pytest.mark.parametrize("name", ["single_pole", "double_pole"])
def test_poles_without_velocities_need_memory(name: str) -> None:
    def spec(encoding: Any, velocities: bool) -> Spec:
        return parse({"task": {"name": name, "velocities": velocities}, "encoding": encoding})

    for feed_forward in ("neat", "hyperneat"):
        with pytest.raises(SpecError) as caught:
            spec(feed_forward, False)
        assert str(caught.value) == (
            f"spec: encoding: expected a recurrent one, as {name} without velocities needs memory, got a feed-forward "
            f"{feed_forward}; use neat with recurrent = true, or task.velocities"
        )
        assert spec(feed_forward, True)
    for recurrent in ("neat", "cppn", "es_hyperneat"):
        assert spec({"name": recurrent, "recurrent": True}, False)


def test_a_goal_may_lie_below_zero() -> None:
    spec = parse({"task": "xor", "encoding": "neat", "budget": {"evaluations": 9, "until": "fitness >= -0.5"}})
    assert [spec.budget.reached({"fitness": value}) for value in (-0.6, -0.5, 0.5)] == [False, True, True]
    with pytest.raises(SpecError, match=r"objectives.constraints: expected METRIC <= NUMBER"):
        parse({"objectives": {"constraints": ["macs <= -1"]}})
