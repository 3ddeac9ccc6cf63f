"""A campaign in a few figures: what its controller finds likeliest."""

import json
from pathlib import Path
from typing import Any

import pytest

from evonas.analysis import summary
from evonas.campaign import Campaign, Spec, Store
from evonas.campaign.spec import read
from evonas.cli import main
from evonas.record import Proposal
from evonas.search import ControllerConfig
from tests.campaigns import written_spec

pytestmark = pytest.mark.usefixtures("fast_disk")


def ran(directory: Path, search: str, fields: str = "") -> Campaign:
    """A campaign of ten evaluations, loaded from its record."""
    spec = written_spec(directory, search=search, evaluations=10, search_fields=fields)
    Campaign.of(read(spec)).run(directory / "out")
    return Campaign.load(directory / "out")


def test_the_likeliest_genome_is_that_of_the_policy_at_the_end_of_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = ran(tmp_path, "controller", 'flavour = "sites"\nbatch = 2\nlearning_rate = 0.5')
    encoding: Any = campaign.spec.encoding
    at_start = campaign.search(encoding)
    search: Any = campaign.search(encoding)
    store = Store.open(campaign.directory)
    for event in store.events(encoding):
        search.recall([event]) if isinstance(event, Proposal) else search.tell([event])
    store.close()
    expected = search.likeliest()
    assert isinstance(campaign.spec.search, ControllerConfig)
    assert expected != at_start.likeliest()  # type: ignore[attr-defined]
    found = summary.likeliest_fields(campaign)
    assert found["likeliest_genome_digest"] == expected.digest
    assert encoding.from_json(json.loads(found["likeliest_genome"])) == expected
    same = [one.id for one in campaign.individuals if one.genome_digest == expected.digest]
    assert found["likeliest_individuals"] == same
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["best", str(campaign.directory), "--format", "json"])
    assert found.items() <= json.loads(capsys.readouterr().out).items()


def test_other_searches_have_no_likeliest_genome(tmp_path: Path) -> None:
    campaign = ran(tmp_path, "random")
    assert campaign.likeliest is None
    assert summary.likeliest_fields(campaign) == {}


def test_a_budget_in_words() -> None:
    def said(**budget: object) -> str:
        return summary.budget(Spec.model_validate({"task": "xor", "encoding": "neat", "budget": budget}))

    assert said(evaluations=3000) == "3,000 evaluations"
    assert said(seconds=1.5, until="solved >= 1") == "1.5 seconds, until solved >= 1"
    assert said(evaluations=3000, seconds=60) == "3,000 evaluations, 60 seconds"
