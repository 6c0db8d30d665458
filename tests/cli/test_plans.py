"""`check --where`, `add --where`, `add --resume`."""

import pytest

from operations import resources
from operations.plans import make_plan
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.operations.test_plans import add_part, asked, many, members
from tests.rest import rest


def test_check_counts_what_would_be_added(trainfold, library: Library):
    held, *_ = many(library, 82, tier="seed_dataset")
    library.add(tier="rejected")
    carry_out(request("Talks", [held], new=True))
    ran = trainfold("check", "Talks", "--where", "tier=seed_dataset", "--json")
    assert ran.json == {
        "plan": None, "training_file": "Talks", "new": False, "where": ["tier=seed_dataset"],
        "one_version": False, "matched": 82, "in_file": 1, "to_add": 81, "parts": 2,
    }  # fmt: skip
    ran = trainfold("check", "Talks", "--where", "tier=seed_dataset")
    assert ran.out == (
        "82 match, 1 are in “Talks” already; 81 to add, as 2 versions, one for each 80.\n"
    )


def test_what_blocks_a_plan_is_listed_as_by_every_check(trainfold, library: Library):
    waiting = library.add(enrichment_status="enriched")
    library.add()
    for command in ("check", "add"):
        ran = trainfold(command, "Talks", "--where", "text=-", "--new")
        assert ran.code == 4
    library.batch(waiting, name="spring")
    ran = trainfold("check", "Talks", "--where", "batch=spring", "--new", "--json")
    assert ran.code == 3
    assert [it["code"] for it in ran.json["blocked"]] == ["not-completed"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["Talks", "--where", "colour=red"], "there is no field “colour”"),
        (["Talks", "--where", "tier=x", "--batch", "b"], "give nothing else"),
        (["Talks", "--resume", "x"], "give nothing else"),
        (["Talks", "--one-version", "--batch", "b"], "goes with --where"),
        ([], "training file's name"),
    ],
)
def test_a_mixture_of_ways_is_a_mistake(trainfold, options: list[str], said: str):
    ran = trainfold("add", *options)
    assert ran.code == 2
    assert said in " ".join(ran.err.replace("│", " ").split())


def test_a_plan_that_does_not_exist_is_not_found(trainfold):
    assert trainfold("add", "--resume", "nowhere").code == 4


def test_where_nobody_can_be_asked_nothing_is_added(trainfold, library: Library):
    library.add()
    ran = trainfold("add", "Talks", "--where", "status=completed", "--new")
    assert ran.code == 2
    assert "1 match; 1 to add, as one version." in ran.err
    assert "--yes" in ran.err
    assert trainfold("show", "Talks").code == 4


def test_all_that_match_are_added_and_a_repeated_command_adds_nothing(
    trainfold, prefect_server: str, library: Library
):
    ids = many(library, 81)
    library.batch(*ids, name="spring")
    command = ("add", "Talks", "--where", "batch=spring", "--new", "--yes", "--request-id", "fill",
               "--as", "Noor", "--json")  # fmt: skip
    ran = trainfold(*command)
    assert ran.code == 0, ran.err
    assert "trainfold add --resume fill" in ran.err
    created_at = ran.json.pop("created_at")
    assert ran.json["plan"] == "fill"
    assert (ran.json["added"], ran.json["done"]) == (81, True)
    assert ran.json["versions"] == [{"part": 1, "version": 1}, {"part": 2, "version": 2}]
    runs = rest(prefect_server).post("/flow_runs/count").json()
    again = trainfold(*command)
    assert (again.code, again.json["created_at"]) == (0, created_at)
    assert trainfold("add", "--resume", "fill").code == 0
    assert rest(prefect_server).post("/flow_runs/count").json() == runs
    more = trainfold("add", "Talks", "--where", "batch=spring", "--yes", "--json")
    assert (more.code, more.json["plan"], more.json["to_add"]) == (0, None, 0)
    assert members("Talks") == ids


def test_an_interrupted_plan_is_resumed_by_its_id(trainfold, prefect_server: str, library: Library):
    ids = many(library, 81)
    plan = make_plan(
        resources.engine(), asked("Talks", "status=completed", new=True, request_id="fill")
    )
    add_part(plan, 1)
    library.add()
    ran = trainfold("add", "--resume", "fill")
    assert ran.code == 0, ran.err
    assert "81 of 81 conversations" in ran.out
    assert members("Talks") == ids
