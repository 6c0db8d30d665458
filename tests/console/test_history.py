"""Versions on a training file's page without scripts: take out, roll back, tag, compare."""

from uuid import uuid4

import pytest

from db.engine import reading
from db.versions import find_version, member_ids
from operations import resources
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.conftest import Visit

HEBREW = "שיחות אביב"


def current(name: str):
    with reading(resources.engine()) as connection:
        version = find_version(connection, name)
        return version, list(member_ids(connection, version))


def act(console: Visit, path: str, **fields: str) -> str:
    """Send the form, and return what the next page says."""
    answer = console.post(path, {"request_id": str(uuid4()), **fields})
    assert answer.status_code == 303, answer.text
    return console.page(answer.headers["location"]).text


def test_a_conversation_is_taken_out_from_its_page_and_brought_back(
    console: Visit, library: Library
):
    first, second = library.add_many(2)
    carry_out(request(HEBREW, [first, second], new=True))
    assert f"Take it out of {HEBREW}" in console.page(f"/conversations/{first}").text
    page = act(console, f"/training-files/{HEBREW}/remove", ids=str(first), comment="by mistake")
    assert "Version 2 is without them." in page
    version, held = current(HEBREW)
    assert (version.number, version.comment, held) == (2, "by mistake", [second])
    page = act(console, f"/training-files/{HEBREW}/versions/1/rollback", comment="")
    assert "Version 3 has the content of 1 again." in page
    assert current(HEBREW)[1] == [first, second]
    compared = console.page(f"/training-files/{HEBREW}/compare?before=2")
    assert "Added 1" in compared.text
    assert f"/conversations/{first}" in compared.links
    same = console.page(f"/training-files/{HEBREW}/compare?before=1&after=3").text
    assert "Both versions have the same conversations" in same


def test_a_form_that_is_sent_twice_makes_one_version(console: Visit, library: Library):
    ids = library.add_many(3)
    carry_out(request("Talks", ids, new=True))
    once = {"ids": str(ids[0]), "comment": "twice", "request_id": str(uuid4())}
    for _ in range(2):
        assert "Version 2" in act(console, "/training-files/Talks/remove", **once)
    assert current("Talks")[0].number == 2


def test_tags_are_given_moved_and_taken_away_unless_protected(console: Visit, library: Library):
    carry_out(request("Talks", [library.add()], new=True))
    carry_out(request("Talks", [library.add()]))
    here = "/training-files/Talks/versions"
    assert "Version 1 is tagged." in act(console, f"{here}/1/tags", tag="good")
    assert "Version 2 is tagged." in act(console, f"{here}/2/tags", tag="good")
    assert console.get(f"{here}/good/json").status_code == 200
    assert "Untagged." in act(console, f"{here}/2/tags", tag="good", do="untag")
    assert console.get(f"{here}/good/json").status_code == 404
    act(console, f"{here}/1/tags", tag="final", protected="on")
    assert "is protected" in act(console, f"{here}/2/tags", tag="final")
    assert "is protected" in act(console, f"{here}/1/tags", tag="final", do="untag")


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("remove", {"ids": "x", "comment": "why"}, "not a UUID"),
        ("remove", {"ids": "", "comment": "why"}, "names no conversation"),
        ("remove", {"ids": "{id}", "comment": "why"}, "trainfold archive"),
        ("remove", {"ids": "{id}", "comment": " "}, "recorded with its reason"),
        ("remove", {"ids": "{id}", "comment": "a\x00b"}, "cannot be kept"),
        ("versions/1/rollback", {"comment": ""}, "nothing to roll back"),
        ("versions/1/tags", {"tag": "7"}, "cannot be a tag"),
        ("versions/1/tags", {"tag": "latest"}, "cannot be a tag"),
        ("versions/1/tags", {"tag": "\x00"}, "cannot be a tag"),
        ("versions/1/tags", {"tag": "none", "do": "untag"}, None),
        ("remove", {"ids": "{id}", "comment": "why", "request_id": "../../etc"}, None),
    ],
)
def test_what_is_mistaken_changes_nothing_and_is_told(
    console: Visit, library: Library, path: str, fields: dict[str, str], said: str | None
):
    id = library.add()
    carry_out(request("Talks", [id], new=True))
    sent = {"request_id": str(uuid4())} | {k: v.replace("{id}", str(id)) for k, v in fields.items()}
    answer = console.post(f"/training-files/Talks/{path}", sent)
    if said is None:
        assert answer.status_code in {303, 404}
    else:
        assert answer.status_code == 303
        text = console.page(answer.headers["location"]).text
        assert "Nothing was changed." in text
        assert said in text
    assert current("Talks")[0].number == 1


def test_versions_that_are_not_there_are_told(console: Visit, library: Library):
    carry_out(request("Talks", [library.add()], new=True))
    for query in ("before=9", "before=zz", "before=%00", "before=1&after=10000000000000000000000"):
        answer = console.get(f"/training-files/Talks/compare?{query}")
        assert answer.status_code == 404, query
    assert console.post("/training-files/None/remove", {}).status_code == 404
