"""Exports of a version on its training file's page."""

import hashlib
import json
from io import BytesIO

import pytest
from pyarrow import parquet

from db.engine import reading
from db.exports import stored_exports
from operations import making_exports, resources
from operations.splits import sides_of
from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.conftest import Visit, served
from tests.spoken import add_spoken


def make(console: Visit, path: str, validation: str = "", **options):
    return console.post(f"{path}/exports", {"validation": validation}, **options)


def test_exports_are_made_once_and_downloaded_from_the_page(console: Visit, library: Library):
    version = carry_out(request("Über talks", library.add_many(2), new=True))
    here = "/training-files/%C3%9Cber%20talks"
    path = f"{here}/versions/1"
    assert "Make exports of version 1" in console.page(here).text
    missing = console.get(f"{path}/exports/messages")
    assert (missing.status_code, "has no stored messages.jsonl" in missing.text) == (404, True)
    made = make(console, path)
    assert (made.status_code, made.headers["location"]) == (303, f"{here}#version-1")
    page = console.page(here)
    assert "4 exports of version 1" in page.text
    with reading(resources.engine()) as connection:
        stored = stored_exports(connection, version)
    for export in stored:
        link = f"{path}/exports/{export.format}"
        # In the menu of the current version, and in the table of versions.
        assert page.links.count(link) == 2
        answer = console.get(link)
        assert hashlib.sha256(answer.content).hexdigest() == export.sha256
        name = f"filename*=UTF-8''%C3%9Cber%20talks-v1-{export.part.file_name}"
        assert name in answer.headers["Content-Disposition"]
    lines = console.get(f"{path}/exports/messages").text.splitlines()
    assert [list(json.loads(line)) for line in lines] == [["messages"]] * 2
    assert make(console, path).status_code == 303
    with reading(resources.engine()) as connection:
        assert stored_exports(connection, version) == stored


def test_a_split_is_asked_for_and_each_file_is_told_from_the_others(
    console: Visit, library: Library
):
    ids = [add_spoken(library, n) for n in range(8)]
    version = carry_out(request("Talks", ids, new=True))
    here = "/training-files/Talks"
    make(console, f"{here}/versions/1")
    for share in ("1", "-0.1", "x", "nan", "1e999999999", "1/2", "0,1", "\0"):
        refused = make(console, f"{here}/versions/1", share)
        assert (refused.status_code, "between 0 and 1" in refused.text) == (409, True), share
    assert sides_of(resources.engine(), version) == {}
    assert make(console, f"{here}/versions/1", " 0.5 ").status_code == 303
    page = console.page(here)
    # Nothing is left to make.
    assert "Make exports" not in page.text
    for name in ("messages.jsonl", "messages.train.jsonl", "examples.parquet",
                 "examples.split.parquet"):  # fmt: skip
        assert page.text.count(f"{name} of version 1") == 2, name
    columns = {}
    for split in ("", "?split=both"):
        answer = console.get(f"{here}/versions/1/exports/parquet{split}")
        columns[answer.headers["Content-Disposition"].partition("; filename*=")[0]] = set(
            parquet.read_table(BytesIO(answer.content)).column("split").to_pylist()
        )
    assert columns == {
        'attachment; filename="Talks-v1-examples.parquet"': {None},
        'attachment; filename="Talks-v1-examples.split.parquet"': {"train", "validation"},
    }
    assert console.get(f"{here}/versions/1/exports/messages?split=both").status_code == 404


def test_a_forged_form_makes_nothing(console: Visit, library: Library):
    version = carry_out(request("Talks", [library.add()], new=True))
    assert make(console, "/training-files/Talks/versions/1", token="forged").status_code == 403
    with reading(resources.engine()) as connection:
        assert stored_exports(connection, version) == []


def test_what_cannot_be_made_is_told_with_the_way_out(
    console: Visit, library: Library, monkeypatch: pytest.MonkeyPatch
):
    bad = library.add()
    value = conversation(bad)
    value["training_pairs"][2]["system_prompt"] += " Be brief."
    library.store.put(f"tests/{bad}.json", as_bytes(value), content_type="application/json")
    carry_out(request("Talks", [bad], new=True))
    blocked = make(console, "/training-files/Talks/versions/1")
    assert (blocked.status_code, "another system prompt" in blocked.text) == (409, True)
    for path in ("Talks/versions/2", "Nothing/versions/1", "a%00b/versions/1"):
        assert make(console, f"/training-files/{path}").status_code == 404
    monkeypatch.setattr(making_exports, "MAX_BYTES_TO_WAIT_FOR", 10)
    large = make(console, "/training-files/Talks/versions/1")
    assert (large.status_code, "trainfold export FILE --version 1" in large.text) == (409, True)


def test_a_damaged_export_is_no_download(console: Visit, library: Library, training_files):
    version = carry_out(request("Talks", [library.add()], new=True))
    make(console, "/training-files/Talks/versions/1")
    with reading(resources.engine()) as connection:
        export = stored_exports(connection, version)[0]
    link = "/training-files/Talks/versions/1/exports/messages"
    assert console.get(link).status_code == 200
    training_files.put(export.key, b"{}", content_type="text/plain")
    answer = console.get(link)
    assert (answer.status_code, "messages.jsonl differs" in answer.text) == (500, True)
    for path in ("zip", "messages?split=test", "messages?split=train"):
        assert console.get(link.replace("messages", path)).status_code == 404


def test_links_are_signed_where_links_are_asked_for(engine, library: Library):
    carry_out(request("Linked", [library.add()], new=True))
    with served(downloads="link") as address:
        visit = Visit(address).entered()
        client = visit.client
        make(visit, "/training-files/Linked/versions/1")
        answer = client.get("/training-files/Linked/versions/1/exports/parquet")
        assert answer.status_code == 303
        assert client.get(answer.headers["location"]).content.startswith(b"PAR1")
