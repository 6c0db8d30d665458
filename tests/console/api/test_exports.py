"""What an application learns about a version's exports."""

import hashlib

import httpx
import pytest

from domain.exports import EXPORT_FORMATS
from operations import making_exports, resources
from operations.stored_exports import ensure_exports
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.api.conftest import NAME, Application, problem
from tests.spoken import add_spoken

PATH = "/training-files/שיחות/versions/1/exports"


def test_exports_are_listed_and_linked(application: Application, library: Library):
    version = carry_out(request("שיחות", library.add_many(2), new=True))
    assert application.get(PATH)["exports"] == []
    store = resources.training_files_store()
    ensure_exports(resources.engine(), store, version, ["messages", "parquet"], created_by="Noor")
    listed = application.get(PATH)
    assert (listed["training_file"], listed["version"]) == ("שיחות", 1)
    messages, table = listed["exports"]
    assert (messages["format"], messages["split"], messages["rows"]) == ("messages", None, 2)
    assert (table["file_name"], table["rows"]) == ("examples.parquet", 4)
    link = application.get(f"{PATH}/messages/download-link?minutes=2")
    assert link["expires_in_seconds"] == 120
    content = httpx.get(link["url"], trust_env=False).content
    assert hashlib.sha256(content).hexdigest() == messages["sha256"]


def test_exports_are_made_with_a_split_and_told_apart(application: Application, library: Library):
    ids = [add_spoken(library, n) for n in range(8)]
    carry_out(request("שיחות", ids, new=True))
    plain = application.post(PATH, {"formats": ["parquet"]})
    assert plain.status_code == 200, plain.text
    (unsplit,) = plain.json()["exports"]
    assert (unsplit["split"], unsplit["created_by"]) == (None, NAME)
    body = {"formats": ["parquet", "messages", "parquet"], "validation": 0.5}
    made = application.post(PATH, body).json()["exports"]
    assert [(it["format"], it["split"]) for it in made] == [
        ("messages", "train"), ("messages", "validation"), ("parquet", "both")
    ]  # fmt: skip
    assert application.post(PATH, body).json()["exports"] == made
    listed = application.get(PATH)["exports"]
    assert [it["split"] for it in listed] == ["train", "validation", None, "both"]
    for export in listed:
        split = f"?split={export['split']}" if export["split"] else ""
        link = application.get(f"{PATH}/{export['format']}/download-link{split}")
        content = httpx.get(link["url"], trust_env=False).content
        assert hashlib.sha256(content).hexdigest() == export["sha256"]
    everything = application.post(PATH, {}).json()["exports"]
    assert [it["format"] for it in everything] == list(EXPORT_FORMATS)


def test_exports_that_cannot_be_made_are_problems(
    application: Application, library: Library, monkeypatch: pytest.MonkeyPatch
):
    carry_out(request("שיחות", [library.add()], new=True))
    for share in (0, 1, -0.1, "0.1", True, []):
        problem(application.post(PATH, {"validation": share}), 422)
    for body in ({"formats": []}, {"formats": ["zip"]}, {"formats": "parquet"}, {"sides": 1}, []):
        problem(application.post(PATH, body), 422)
    huge = b'{"validation": 1e999}'
    sent = application.client.post(PATH, content=huge, headers={"Content-Type": "application/json"})
    assert sent.status_code in (400, 422)
    problem(application.post(PATH.replace("/1/", "/2/"), {}), 404)
    monkeypatch.setattr(making_exports, "MAX_BYTES_TO_WAIT_FOR", 10)
    large = problem(application.post(PATH, {}), 409)
    assert "too large" in large.detail
    assert application.get(PATH)["exports"] == []


def test_what_is_not_there_is_a_problem(application: Application, library: Library):
    carry_out(request("שיחות", [library.add()], new=True))
    link = f"{PATH}/messages/download-link"
    found = problem(application.client.get(link), 404)
    assert "no stored messages.jsonl" in found.detail
    problem(application.client.get(f"{link}?split=train"), 404)
    problem(application.client.get(PATH.replace("/1/", "/2/")), 404)
    problem(application.client.get(f"{link}?split=test"), 422)
    problem(application.client.get(f"{link}?split="), 422)
    problem(application.client.get(link.replace("messages", "zip")), 422)
    problem(application.client.get(f"{link}?minutes=0"), 422)
    problem(application.client.get(link.replace("שיחות", "%00")), 422)
