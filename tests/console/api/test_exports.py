"""What an application learns about a version's exports."""

import hashlib

import httpx

from operations import resources
from operations.stored_exports import ensure_exports
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.api.conftest import Application, problem

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
