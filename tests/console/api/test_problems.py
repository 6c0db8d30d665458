"""Hostile requests and broken services: every answer is problem details, none a stack trace."""

import json
import logging
import time

import httpx
import pytest

from console.api import training_files
from operations import resources
from tests.conftest import Library
from tests.console.api.conftest import Application, problem

BODY = {"training_file": "Talks", "new": True, "conversation_ids": []}


@pytest.mark.parametrize(
    "path",
    [
        "/training-files/%00",
        "/training-files/a%00b/versions",
        "/training-files/Talks/versions/%00",
        "/training-files/Talks/versions/1/download-link",
        "/training-files/Talks/versions/1/download-link?format=csv",
        "/training-files/Talks/versions/1/download-link?format=json&minutes=0",
        "/training-files/Talks/versions/1/download-link?format=json&minutes=99999999999999999999",
        "/training-files/Talks/versions?limit=0",
        "/training-files/Talks/versions?limit=101",
        "/training-files/Talks/versions?offset=100000000000000000000",
        "/conversations?limit=1001",
        "/conversations?offset=-1",
        "/conversations?status=done",
        "/conversations?sort=id",
        "/conversations?text=%00",
        "/conversations?persona=%00",
        "/conversations?batch=%00",
        "/conversations?not_in=%00",
        "/conversations?unknown=1",
        "/conversations?text=" + "x" * 201,
        "/batches?offset=100000000000000000000",
        "/requests/a%00",
        "/requests/" + "x" * 101,
    ],
)
def test_a_parameter_of_another_form_is_named(application: Application, path: str):
    found = problem(application.client.get(path), 422)
    assert found.type == "urn:trainfold:problem:invalid-request"
    assert found.invalid[0].field.startswith(("path.", "query."))


@pytest.mark.parametrize(
    "path",
    ["/training-files/%ED%A0%80", "/training-files/%FF%FE", "/training-files/" + "x" * 5_000,
     "/conversations?batch=%ED%A0%80", "/conversations?not_in=%FF"],
)  # fmt: skip
def test_text_that_is_no_unicode_is_not_there(application: Application, path: str):
    problem(application.client.get(path), 404)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/training-files/", "/training-files/a/b", "//"])
def test_an_address_that_is_not_there_leads_to_the_description(application: Application, path: str):
    assert "/api/v1/openapi.json" in problem(application.client.get(path), 404).detail


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND"])
def test_another_method_is_told_which_ones_there_are(application: Application, method: str):
    for path, allowed in (("/training-files", "GET"), ("/check", "POST"), ("/requests", "POST")):
        answer = application.client.request(method, path)
        assert answer.headers["Allow"] == allowed
        assert method in problem(answer, 405).detail


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"null", 422),
        (b"[]", 422),
        (b"1e999", 422),
        (b'"Talks"', 422),
        (b"{", 400),
        (b"{'a': 1}", 400),
        (b'{"training_file": "\xff"}', 400),
        (b"\xff\xfe{\x00}\x00", 422),
        (b"[" * 100_000, 400),
        (b'{"a":' * 50_000, 400),
        (b"1" * 5_000, 400),
        (b'{"training_file": ' + b"9" * 5_000 + b"}", 400),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    application: Application, content: bytes, status: int
):
    headers = {"Content-Type": "application/json"}
    for path in ("/check", "/requests"):
        problem(application.client.post(path, content=content, headers=headers), status)


@pytest.mark.parametrize(
    "changes",
    [
        {"training_file": None},
        {"training_file": 1},
        {"training_file": ["Talks"]},
        {"new": "yes"},
        {"new": 1},
        {"conversation_ids": "5a3b0000-0000-4000-8000-000000000009"},
        {"conversation_ids": [None]},
        {"conversation_ids": [1]},
        {"conversation_ids": {"0": "x"}},
        {"conversation_ids": ["x"] * 1_001},
        {"batch": "\0"},
        {"batch": 7},
        {"unknown": "field"},
        {"__proto__": {}},
        {"request_id": "x"},
        {"requested_by": "the boss"},
        {"\x1b[31m" + "x" * 500: 1},
    ],
)
def test_a_body_of_another_form_is_named(application: Application, changes: dict[str, object]):
    for path in ("/check", "/requests"):
        found = problem(application.post(path, BODY | changes), 422)
        assert found.invalid[0].field.startswith("body")
        assert found.invalid[0].field.isprintable()


def test_lone_surrogates_are_refused(application: Application):
    headers = {"Content-Type": "application/json"}
    for changes, status in (
        ({"training_file": "\ud800"}, 409),
        ({"\udfff": 1}, 422),
        ({"batch": "\ud800"}, 422),
        ({"conversation_ids": ["\ud800"]}, 409),
        ({"description": "\ud800"}, 422),
    ):
        content = json.dumps(BODY | changes)
        problem(application.client.post("/requests", content=content, headers=headers), status)


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
     "application/xml", "x", "application/problem+json"],
)  # fmt: skip
def test_a_body_of_another_media_type_is_refused(application: Application, media_type: str):
    # A form of another origin can send these without asking first.
    for path in ("/check", "/requests"):
        answer = application.client.post(
            path, content=json.dumps(BODY), headers={"Content-Type": media_type}
        )
        assert "application/json" in problem(answer, 415).detail


def test_a_missing_batch_is_not_found(application: Application):
    for path in ("/check", "/requests"):
        assert "no batch" in problem(application.post(path, BODY | {"batch": "x"}), 404).detail


def test_without_prefect_an_add_says_what_is_missing(
    application: Application, library: Library, monkeypatch: pytest.MonkeyPatch
):
    id = library.add()
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    answer = application.add("Talks", [id], new=True)
    assert problem(answer, 503).type == "urn:trainfold:problem:unreachable"
    assert int(answer.headers["Retry-After"]) > 0
    problem(application.client.get("/requests/x"), 503)
    assert application.get("/training-files") == {"items": []}


def test_without_the_database_every_answer_says_so(
    application: Application, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/nothing")
    resources.forget()
    try:
        answer = application.client.get("/training-files")
    finally:
        monkeypatch.undo()
        resources.forget()
    assert "secret" not in problem(answer, 503).detail
    assert int(answer.headers["Retry-After"]) > 0


def test_a_defect_is_told_without_its_trace(
    application: Application, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(_):
        raise RuntimeError("a secret")

    monkeypatch.setattr(training_files, "training_file_choices", fail)
    logger = logging.getLogger("uvicorn.error")
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    answer = application.client.get("/training-files")
    assert "a secret" not in problem(answer, 500).detail
    # The server logs after it has answered.
    deadline = time.monotonic() + 30
    while "a secret" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "a secret" in caplog.text


def test_outside_the_api_errors_are_pages(address: str):
    answer = httpx.get(f"{address}/api/v2/training-files", trust_env=False)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
