"""Check, add and follow: as `check` and `submit` do, with nothing of Prefect to learn."""

from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow

from flows.add_conversations import add_conversations
from tests.asking import carry_out, request
from tests.commands import run
from tests.conftest import Library
from tests.console.api.conftest import NAME, Application, problem
from tests.rest import rest

HEBREW = "שיחות אביב"


@pytest.fixture
def count_runs(deployments: str):
    """How many flow runs the Prefect server knows."""

    def count() -> int:
        return int(rest(deployments).post("/flow_runs/count", json={}).json())

    return count


def work(run_id: str):
    """Carry out a run in this process, as a worker would."""
    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(UUID(run_id))
    return run_flow(
        add_conversations, flow_run=flow_run, parameters=flow_run.parameters, return_type="state"
    )


def test_a_check_answers_what_the_command_prints(application: Application, library: Library):
    one, two, member = library.add_many(3)
    carry_out(request("Has one", [member], new=True))
    library.batch(two, one, name="a batch")
    unknown = str(uuid4())
    for words, body in (
        (["New", "--new", one, two], {"new": True, "conversation_ids": [str(one), str(two)]}),
        (["Has one", "--batch", "a batch"], {"batch": "a batch"}),
        (["has ONE", member, unknown, "x"], {"conversation_ids": [str(member), unknown, "x"]}),
        (["Has one", "--new", one], {"new": True, "conversation_ids": [str(one)]}),
        (["Nowhere", one, one], {"conversation_ids": [str(one), str(one)]}),
        (["", "--new", one], {"new": True, "conversation_ids": [str(one)]}),
    ):
        printed = run("check", *words, "--json").json
        assert application.check(str(words[0]), **body) == printed, words


def test_a_batch_adds_what_the_ids_do_not_name(application: Application, library: Library):
    one, two, three = library.add_many(3)
    library.batch(one, two, three, name="a batch")
    checked = application.check(
        "New", new=True, batch="a batch", conversation_ids=[str(three).upper()]
    )
    assert checked["eligible"] == [str(three), str(one), str(two)]


def test_an_add_is_accepted_and_followed_to_its_version(
    application: Application, library: Library, count_runs
):
    ids, before = library.add_many(2), count_runs()
    accepted = application.add(HEBREW, ids, key="talks-1", new=True, description=" Of spring ")
    assert accepted.status_code == 202
    assert accepted.headers["Location"] == "/api/v1/requests/talks-1"
    assert accepted.headers["Retry-After"] == "1"
    status = accepted.json()
    assert (status["request_id"], status["state"], status["training_file"]) == (
        "talks-1",
        "accepted",
        HEBREW,
    )
    assert status["progress"] == {"total": 2, "fetched": 0, "validated": 0}
    again = application.add(HEBREW, ids, key="talks-1", new=True)
    assert (again.status_code, again.json()) == (202, status)
    assert application.get("/requests/talks-1") == status
    assert count_runs() == before + 1
    work(status["run_id"])
    done = application.client.get(accepted.headers["Location"].removeprefix("/api/v1"))
    assert "Retry-After" not in done.headers
    assert done.json()["state"] == "done"
    (printed,) = run("versions", HEBREW, "--json").json
    assert done.json()["version"] == printed
    assert (printed["created_by"], printed["request_id"]) == (NAME, "talks-1")
    assert run("show", HEBREW, "--json").json["description"] == "Of spring"
    again = application.add(HEBREW, ids, key="talks-1", new=True)
    assert (again.status_code, again.json()) == (202, done.json())
    assert count_runs() == before + 1


def test_what_blocks_is_told_and_nothing_is_submitted(
    application: Application, library: Library, count_runs
):
    member, fine, unfinished = library.add_many(3)
    carry_out(request("Has one", [member], new=True))
    with library.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE conversations SET enrichment_status = 'enriched' WHERE conversation_id = %s",
            (unfinished,),
        )
    before, unknown = count_runs(), uuid4()
    ids = [fine, member, unfinished, unknown]
    blocked = problem(application.add("Has one", ids), 409)
    assert blocked.type == "urn:trainfold:problem:blocked"
    assert [(it.conversation_id, it.code) for it in blocked.blocked] == [
        (str(member), "already-member"),
        (str(unfinished), "not-completed"),
        (str(unknown), "unknown-conversation"),
    ]
    told = application.add("Has one", ids).json()["blocked"]
    assert told == application.check("Has one", conversation_ids=list(map(str, ids)))["blocked"]
    assert count_runs() == before


@pytest.mark.parametrize(
    ("name", "ids", "code"),
    [
        ("", 1, "bad-name"),
        ("a\0b", 1, "bad-name"),
        ("a/b", 1, "bad-name"),
        ("x" * 121, 1, "bad-name"),
        ("Talks", 0, "nothing-to-add"),
        ("Talks", 81, "too-many"),
        ("Talks", ["x", "\0", "<script>", ""], "not-an-id"),
        ("Talks", ["5a3b0000-0000-4000-8000-000000000009"] * 2, "repeated-in-request"),
    ],
)
def test_a_malformed_request_is_blocked_by_the_rule_it_breaks(
    application: Application, library: Library, count_runs, name: str, ids, code: str
):
    before = count_runs()
    ids = [str(uuid4()) for _ in range(ids)] if isinstance(ids, int) else ids
    blocked = problem(application.add(name, ids, new=True), 409).blocked
    assert code in {reason.code for reason in blocked}
    assert count_runs() == before


def test_a_key_belongs_to_one_request(application: Application, library: Library, count_runs):
    one, two = library.add_many(2)
    application.add("Talks", [one], key="only-1", new=True)
    before = count_runs()
    for name, ids in (("Other", [one]), ("Talks", [two]), ("Talks", [one, two])):
        reused = problem(application.add(name, ids, key="only-1", new=True), 422)
        assert reused.type == "urn:trainfold:problem:request-id-reused"
    carry_out(request("Made", [two], new=True, request_id="only-2"))
    reused = problem(application.add("Made", [one], key="only-2"), 422)
    assert "which made version 1 of “Made”" in reused.detail
    assert count_runs() == before


def test_without_a_key_each_request_has_an_id_of_its_own(
    application: Application, library: Library, deployments: str
):
    id = library.add()
    first, second = (application.add("Talks", [id], new=True) for _ in range(2))
    assert UUID(first.json()["request_id"]) != UUID(second.json()["request_id"])
    assert first.headers["Location"].endswith(first.json()["request_id"])


@pytest.mark.parametrize("key", ["../x", "a b", "x" * 101, "é", "a%00"])
def test_a_key_that_is_no_request_id_is_refused(application: Application, key: str):
    headers = {"Idempotency-Key": key.encode("latin-1")}
    body = {"training_file": "Talks", "conversation_ids": []}
    answer = application.client.post("/requests", json=body, headers=headers)
    assert problem(answer, 422).invalid[0].field == "header.Idempotency-Key"


def test_a_run_that_is_blocked_later_gives_its_reasons_and_can_be_sent_again(
    application: Application, library: Library, deployments: str
):
    broken = library.add(data=b"[]")
    accepted = application.add("Broken", [broken], key="broken-1", new=True).json()
    work(accepted["run_id"])
    ended = application.get("/requests/broken-1")
    assert (ended["state"], ended["version"], ended["error"]) == ("blocked", None, None)
    assert [(it["conversation_id"], it["code"]) for it in ended["blocked"]] == [
        (str(broken), "wrong-type")
    ]
    again = application.add("Broken", [broken], key="broken-1", new=True).json()
    assert (again["state"], again["run_id"]) == ("accepted", accepted["run_id"])


@pytest.mark.parametrize(
    ("kind", "name", "message", "told"),
    [
        ("FAILED", "Failed", "The store was away.", "ended as Failed: The store was away."),
        ("CANCELLED", "Cancelled", None, "ended as Cancelled: no reason was given"),
        ("CRASHED", "Crashed", "No heartbeat", "ended as Crashed: No heartbeat"),
    ],
)
def test_a_run_that_fails_says_so_in_words(
    application: Application, library: Library, deployments: str, kind, name, message, told
):
    accepted = application.add("Failing", [library.add()], key=f"failing-{name}", new=True).json()
    state = {"type": kind, "name": name, "message": message}
    rest(deployments).post(
        f"/flow_runs/{accepted['run_id']}/set_state", json={"state": state, "force": True}
    ).raise_for_status()
    ended = application.get(f"/requests/failing-{name}")
    assert (ended["state"], ended["blocked"], ended["version"]) == ("failed", [], None)
    assert told in ended["error"]["message"]


def test_what_other_ways_have_made_is_followed_without_prefect(
    application: Application, library: Library, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    id = library.add()
    carry_out(request("Talks", [id], new=True, request_id="by-hand-1"))
    assert application.get("/requests/by-hand-1")["state"] == "done"
    assert application.add("Talks", [id], key="by-hand-1", new=True).json()["state"] == "done"


def test_a_request_that_nobody_sent_is_not_there(application: Application, deployments: str):
    assert "nobody-1" in problem(application.client.get("/requests/nobody-1"), 404).detail
