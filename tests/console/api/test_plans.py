"""Plans over the API: counted, submitted, followed."""

from uuid import UUID

import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow

from flows.add_matching import add_matching
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.api.conftest import Application, problem
from tests.operations.test_plans import many, members
from tests.rest import rest

HEBREW = "שיחות אביב"


def work(server: str, key: str, flow: Flow = add_matching):
    """Carry out a submitted run in this process, as a worker would."""
    body = {"flow_runs": {"idempotency_key": {"any_": [key]}}}
    (found,) = rest(server).post("/flow_runs/filter", json=body).json()
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(found["id"]))
    return run_flow(flow, flow_run=run, parameters=run.parameters, return_type="state")


def test_a_batch_is_counted_added_in_parts_and_followed(
    application: Application, library: Library, deployments: str
):
    held, *ids = many(library, 82)
    library.batch(held, *ids, name="spring")
    carry_out(request(HEBREW, [held], new=True))
    body = {"training_file": HEBREW, "batch": "spring", "matching": ["status=completed"]}
    counted = application.post("/plans/check", body).json()
    assert (counted["matched"], counted["in_file"], counted["to_add"]) == (82, 1, 81)
    assert (counted["plan"], counted["parts"]) == (None, 2)
    accepted = application.post("/plans", body, key="fill")
    assert accepted.status_code == 202, accepted.text
    assert accepted.headers["Location"] == "/api/v1/plans/fill"
    status = accepted.json()
    assert (status["plan"], status["state"], status["added"]) == ("fill", "accepted", 0)
    library.add()
    assert application.post("/plans", body, key="fill").json() == status
    assert work(deployments, "fill").is_completed()
    status = application.get("/plans/fill")
    assert (status["state"], status["added"], status["done"]) == ("done", 81, True)
    assert status["versions"] == [{"part": 1, "version": 2}, {"part": 2, "version": 3}]
    assert members(HEBREW) == [held, *ids]


def test_what_blocks_is_said_before_anything_is_submitted(
    application: Application, library: Library, deployments: str
):
    library.add(enrichment_status="enriched")
    before = rest(deployments).post("/flow_runs/count", json={}).json()
    body = {"training_file": "Talks", "new": True, "matching": ["status=enriched"]}
    assert application.post("/plans/check", body).json()["blocked"][0]["code"] == "not-completed"
    refused = problem(application.post("/plans", body, key="x"), 409)
    assert refused.blocked[0].code == "not-completed"
    problem(application.client.get("/plans/x"), 404)
    assert rest(deployments).post("/flow_runs/count", json={}).json() == before


@pytest.mark.parametrize(
    "body",
    [
        {"training_file": "Talks"},
        {"training_file": "Talks", "matching": ["batch=nowhere"]},
        {"training_file": "Talks", "batch": "nowhere"},
    ],
)
def test_what_nothing_matches_is_not_found(application: Application, body: dict):
    problem(application.post("/plans", body), 404)


def test_conditions_that_cannot_be_read_are_named(application: Application):
    body = {"training_file": "Talks", "matching": ["colour=red", "quality>=x\0"]}
    refused = problem(application.post("/plans", body), 409)
    assert {reason.code for reason in refused.blocked} == {"bad-condition"}
    for matching in (["a=b"] * 101, "persona=x", [1], [None]):
        problem(application.post("/plans", {"training_file": "T", "matching": matching}), 422)
    problem(application.client.get("/plans/no%00id"), 422)
