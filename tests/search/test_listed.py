"""A list of candidates: proposed in turn, evaluated to its end, and its own budget."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from evonas.campaign import Campaign, Progress, Spec, SpecError, Store
from evonas.campaign.loop import Loop
from evonas.campaign.spec import parse, read
from evonas.record import SOURCE, Budget, Evaluation
from evonas.search import ListedConfig
from genomes.cell import Cell, reference
from genomes.reading import read_genome
from tests.campaigns import Pretending, context, listed, pretended, record, written_spec

GENOMES = listed(3)


def of_list(**fields: Any) -> dict[str, Any]:
    return {"search": {"name": "listed", "genomes": GENOMES, **fields}, "encoding": context().encoding}


# The search


def test_each_is_proposed_once_before_any_is_twice() -> None:
    search = ListedConfig(genomes=GENOMES, repeats=2).build(context())
    asked = [*search.ask(4), *search.ask(10)]
    assert [one.id for one in asked] == list(range(6))
    written = [json.dumps(context().encoding.to_json(one.genome)) for one in asked]
    assert written == [*GENOMES, *GENOMES]
    assert search.ask(1) == []
    assert {(one.operator, one.parents, one.donors, one.generation) for one in asked} == {("listed", (), (), 0)}


def test_all_that_are_complete_keep_their_weights() -> None:
    search = ListedConfig(genomes=GENOMES).build(context())
    search.tell(pretended(one, lambda id: id == 1) for one in search.ask(3))
    assert search.keeps() == {0, 2}


@pytest.mark.parametrize(
    ("source", "inherit", "donors", "epochs"),
    [("ab", True, (SOURCE,), 1), ("ab", False, (), 5), (None, True, (), 5), (None, False, (), 5)],
)
def test_candidates_begin_with_the_source(source: Any, inherit: bool, donors: Any, epochs: int) -> None:
    given = dataclasses.replace(context(inherit=inherit), budget=lambda inherits: Budget(1) if inherits else Budget(5))
    for one in ListedConfig(genomes=GENOMES, source=source).build(given).ask(3):
        assert (one.donors, one.parents, one.budget.epochs) == (donors, (), epochs)


# The configuration


def test_genomes_are_json_however_they_are_written() -> None:
    spaced = [json.dumps(json.loads(text), indent=3) for text in GENOMES]
    for given in (GENOMES, spaced, [json.loads(text) for text in GENOMES]):
        assert ListedConfig(genomes=given).genomes == GENOMES  # type: ignore[arg-type]


def test_published_cells_are_known_by_name() -> None:
    (text,) = ListedConfig(genomes=("darts_second_order",)).genomes
    assert read_genome(Cell(), text) == reference("darts_second_order")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"genomes": ["a.json"]}, "search.genomes: expected the JSON text of a genome, got 'a.json'; files can be"),
        ({"genomes": ["[1]"]}, "search.genomes: expected the JSON text of a genome, got '[1]'"),
        ({"genomes": [3]}, "search.genomes: expected the JSON text of a genome, got '3'"),
        ({"genomes": []}, "search.genomes: tuple should have at least 1 item"),
        ({"genomes": "a.json"}, "search.genomes: input should be a valid tuple"),
        ({"repeats": 0}, "search.repeats: input should be greater than or equal to 1, got 0"),
        ({"repeats": "two"}, "search.repeats: input should be a valid integer"),
    ],
    ids=str,
)
def test_what_is_no_list_is_one_line(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(of_list(**fields))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_without_genomes_is_refused() -> None:
    with pytest.raises(SpecError, match=r"search.genomes: missing; add it"):
        parse({"search": "listed"})


def test_a_genome_of_another_kind_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    other = {"encoding": "other", "version": 1}
    with pytest.raises(SpecError, match=r"search.genomes.1: expected a dag genome of version 1, got 'other'"):
        Campaign.of(parse(of_list(genomes=[GENOMES[0], other]))).run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_control_of_a_list_is_refused() -> None:
    with pytest.raises(SpecError, match=r"control: expected none beside a list, got random; run random search on its"):
        parse({**of_list(), "control": "random"})


# Files of genomes


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = written_spec(tmp_path, search="listed", search_fields='genomes = ["g/a.json"]')
    (tmp_path / "g").mkdir()
    return path


def test_a_spec_file_names_files_and_the_spec_holds_their_content(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "g" / "a.json").write_text(json.dumps(json.loads(GENOMES[0]), indent=1))
    assert read(spec).search == ListedConfig(genomes=GENOMES[:1], lag=3)
    changed = read(spec, {"search.genomes": [GENOMES[1], "g/a.json"]})
    assert changed.search == ListedConfig(genomes=(GENOMES[1], GENOMES[0]), lag=3)
    assert parse(changed.model_dump(mode="json", exclude_none=True)) == changed


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            None,
            "a.json: expected a JSON file or one of amoebanet_a, darts_second_order, nasnet_a, gru, lstm, tanh, got",
        ),
        (b"\xff", "it is no JSON text in UTF-8"),
    ],
)
def test_a_genome_file_that_cannot_be_read_is_one_line(
    content: bytes | None, expected: str, spec: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "g" / "a.json").write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read(spec)
    assert f"{spec}: search.genomes: {tmp_path / 'g' / 'a.json'}: expected a JSON file" in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_genome_file_with_something_else_is_one_line(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "g" / "a.json").write_text("no genome")
    with pytest.raises(SpecError, match=r"a.json: expected a JSON file or one of .*: it is no JSON text in UTF-8"):
        read(spec)


# The budget


def test_the_list_is_the_budget() -> None:
    for repeats in (1, 2, 100):
        found = parse(of_list(repeats=repeats))
        assert found.budget.evaluations == found.granted.evaluations == 3 * repeats
        assert parse(found.model_dump(mode="json", exclude_none=True)) == found
    config = ListedConfig(genomes=GENOMES, repeats=2)
    assert Spec(task="digits", search=config).budget.evaluations == 6  # type: ignore[arg-type]


def test_another_budget_ends_it_sooner_but_never_later() -> None:
    for given, granted in (({"evaluations": 2}, (2, None)), ({"evaluations": 500}, (3, None)), ({"epochs": 9}, (3, 9))):
        found = parse({**of_list(), "budget": given}).granted
        assert (found.evaluations, found.epochs) == granted
    assert parse({"budget": {"epochs": 9}}).granted.evaluations is None


@pytest.mark.usefixtures("fast_disk")
def test_progress_is_a_part_of_the_list(tmp_path: Path) -> None:
    seen: list[Progress] = []
    spec = parse({**of_list(repeats=2), "budget": {"evaluations": 500}})
    found = ran(spec, tmp_path, seen)
    assert [one.fraction for one in seen] == [n / 6 for n in range(7)]
    assert len(found) == 6
    assert [one["state"] for one in found] == ["complete"] * 6


@pytest.mark.usefixtures("fast_disk")
def test_a_larger_budget_goes_on_with_the_list(tmp_path: Path) -> None:
    whole = ran(parse(of_list(repeats=2)), tmp_path / "whole", [])
    for n in (1, 4, 6, 9):
        found = ran(parse({**of_list(repeats=2), "budget": {"evaluations": n}}), tmp_path / "grown", [])
        assert found == whole[:n]
    weights = [path.name for path in (tmp_path / "grown" / "weights").iterdir()]
    assert sorted(weights) == [f"{number}-0.safetensors" for number in range(6)]


def ran(spec: Spec, directory: Path, seen: list[Progress]) -> list[dict[str, Any]]:
    encoding = context().encoding
    begun = (directory / "campaign.sqlite").exists()
    store = Store.open(directory, write=True) if begun else Store.create(directory, {})
    try:
        search = Campaign.of(spec).search(encoding)
        Loop(spec, encoding, store, search, Pretending(), observe=seen.append).run()
        return record(store.individuals())
    finally:
        store.close()


def test_results_are_told_without_weights() -> None:
    search = ListedConfig(genomes=GENOMES).build(context())
    search.ask(1)
    search.tell([Evaluation(0, "complete", {"accuracy": 1.0})])
    assert search.keeps() == {0}
