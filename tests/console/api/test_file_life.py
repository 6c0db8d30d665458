"""The log and the commands on a training file, by the HTTP API."""

import pytest

from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.api.conftest import NAME, Application, problem
from tests.damaged import add_damaged
from tests.file_commands import archive_and_delete

ROOT = "/api/v1"


def test_a_file_is_renamed_archived_and_taken_back(application: Application, library: Library):
    carry_out(request("First", [library.add()], new=True))
    answer = application.post("/training-files/First/rename", {"name": "שני", "comment": "Why"})
    assert (answer.status_code, answer.json()) == (
        200,
        {"training_file": "שני", "renamed_from": "First"},
    )
    for action, status in (("archive", "archived"), ("unarchive", "active")):
        answer = application.post(f"/training-files/שני/{action}", {})
        assert answer.json() == {"training_file": "שני", "status": status}
    entries = application.get("/training-files/שני/log")["items"]
    assert [(it["action"], it["by"]) for it in entries] == [
        ("unarchive", NAME), ("archive", NAME), ("rename", NAME), ("create", "a test"),
    ]  # fmt: skip
    assert (entries[2]["comment"], entries[2]["detail"]) == ("Why", {"new_name": "שני"})


def test_the_log_is_paged_and_outlives_the_file(application: Application, library: Library):
    version = carry_out(request("First", [library.add()], new=True))
    archive_and_delete("First")
    path = f"/training-files/{version.training_file_id}/log"
    first = application.get(path, params={"limit": 2})
    assert [it["action"] for it in first["items"]] == ["delete", "archive"]
    rest = application.get(first["next"].removeprefix(ROOT))
    assert [it["action"] for it in rest["items"]] == ["create"]
    assert rest["next"] is None
    problem(application.client.get("/training-files/First"), 404)
    problem(application.client.get("/training-files/First/versions/1"), 404)
    problem(application.client.get("/training-files/Nobody/log"), 404)


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("rename", {"name": "a/b"}, 409),
        ("rename", {"name": "a\u0000b"}, 409),
        ("rename", {"name": "💶" * 121}, 409),
        ("rename", {"name": ""}, 409),
        ("rename", {}, 422),
        ("rename", {"name": 7}, 422),
        ("archive", {"comment": "x" * 501}, 422),
        ("archive", {"why": "?"}, 422),
        ("unarchive", {"comment": "a\u0000"}, 422),
        ("unarchive", [], 422),
    ],
)
def test_a_malformed_command_is_a_problem(
    application: Application, library: Library, action: str, body: object, status: int
):
    carry_out(request("First", [library.add()], new=True))
    problem(application.post(f"/training-files/First/{action}", body), status)
    assert application.get("/training-files/First")["status"] == "active"


def test_a_file_that_is_not_there_is_not_found(application: Application):
    problem(application.post("/training-files/Nobody/rename", {"name": "x"}), 404)
    problem(application.post("/training-files/Nobody/archive", {}), 404)


def test_a_request_that_the_gate_refuses_is_in_the_log(application: Application, library: Library):
    carry_out(request("First", [id := library.add()], new=True))
    application.check("First", conversation_ids=[str(id)])
    for _ in range(2):
        problem(application.add("First", [id], key="r-1"), 409)
    entries = application.get("/training-files/First/log")["items"]
    assert [(it["action"], it["outcome"]) for it in entries] == [
        ("add", "refused"), ("create", "done"),
    ]  # fmt: skip
    assert entries[0]["detail"]["reasons"][0]["code"] == "already-member"


def test_a_file_refuses_damage_in_a_check_and_takes_it_again(
    application: Application, library: Library
):
    carry_out(request("שיחות", [library.add()], new=True))
    answer = application.post("/training-files/שיחות/damage", {"refused": True, "comment": "Why"})
    assert answer.json() == {"training_file": "שיחות", "refuses_damage": True}
    assert application.get("/training-files/שיחות")["refuses_damage"] is True
    id = str(add_damaged(library))
    (reason,) = application.check("שיחות", conversation_ids=[id])["blocked"]
    assert (reason["conversation_id"], reason["code"]) == (id, "cut-off")
    application.post("/training-files/שיחות/damage", {"refused": False})
    assert application.check("שיחות", conversation_ids=[id])["eligible"] == [id]
    for body in ({}, {"refused": "yes"}, {"refused": 1}, {"refused": None}, {"refuse": True}):
        problem(application.post("/training-files/שיחות/damage", body), 422)
    problem(application.post("/training-files/No talks/damage", {"refused": True}), 404)
