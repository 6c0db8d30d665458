"""`remove`, `rollback`, `tag`, `untag`, and tags where a version's number is given."""

import json
from uuid import uuid4

import pytest

from tests.asking import carry_out, request
from tests.conftest import Library


@pytest.fixture
def ids(library: Library) -> list[str]:
    """Two versions of “Talks”: three conversations, and a fourth."""
    ids = library.add_many(4)
    carry_out(request("Talks", ids[:3], new=True))
    carry_out(request("Talks", ids[3:]))
    return list(map(str, ids))


def test_a_removal_prints_its_version_and_is_listed_with_its_reason(trainfold, ids):
    made = trainfold("remove", "talks", ids[1], "--reason", "asked\nby the client", "--as", "Noor")
    assert made.code == 0, made.err
    assert "version         3 (remove, by Noor)" in made.out
    assert "conversations   3" in made.out
    assert trainfold("show", "Talks", "--json").json["conversation_ids"] == [ids[0], *ids[2:]]
    newest, second, _ = trainfold("versions", "Talks", "--json").json
    assert (newest["reason"], newest["comment"]) == ("remove", "asked\nby the client")
    assert (second["comment"], second["restores"], second["tags"]) == ("", None, [])
    assert "remove: asked by the client" in trainfold("versions", "Talks").out


def test_a_removal_takes_a_batch_or_a_list_and_repeats_under_its_request_id(
    trainfold, library: Library, ids
):
    library.batch(*ids[:2], name="to go")
    words = ("remove", "Talks", "--batch", "to go", "--reason", "x", "--request-id", "r-1")
    made = trainfold(*words, "--json")
    assert (made.code, made.json["conversations"]) == (0, 2)
    assert trainfold(*words, "--json").json == made.json
    listed = trainfold(
        "remove", "Talks", "--ids-from", "-", "--reason", "x", "--json", stdin=f"{ids[2]}\n"
    )
    assert (listed.code, listed.json["conversations"]) == (0, 1)


def test_a_blocked_removal_gives_every_reason(trainfold, ids):
    stranger = str(uuid4())
    ran = trainfold("remove", "Talks", ids[0], ids[0], stranger, "x", "--reason", "x", "--json")
    assert ran.code == 3
    assert {(reason["conversation_id"], reason["code"]) for reason in ran.json["blocked"]} == {
        (ids[0], "repeated-in-request"),
        (stranger, "not-a-member"),
        ("x", "not-an-id"),
    }
    for words in ((), ("--reason", "x"), (ids[0],)):
        assert trainfold("remove", "Talks", *words).code == 2
    assert trainfold("remove", "No talks", ids[0], "--reason", "x").code == 4
    last = trainfold("remove", "Talks", *ids, "--reason", "x")
    assert last.code == 3
    assert "trainfold archive FILE" in last.out


def test_a_tag_works_wherever_a_number_does(trainfold, ids, tmp_path):
    tagged = trainfold("tag", "Talks", "1", "רענון-1", "--json")
    assert tagged.json["tags"] == [{"name": "רענון-1", "is_protected": False}]
    where = ("--version", "רענון-1")
    full = json.loads(trainfold("download", "Talks", "--format", "json", *where, "-o", "-").out)
    assert full["training_file_metadata"]["total_conversations"] == 3
    assert trainfold("download", "Talks", "--format", "json", *where).code == 0
    assert (tmp_path / "Talks-v1.json").exists()
    assert trainfold("verify", "Talks", *where, "--json").json["version"] == 1
    assert "url" in trainfold("url", "Talks", "--format", "json", *where, "--json").json
    exported = trainfold("export", "Talks", "--format", "messages", *where, "-o", "-")
    assert len(exported.out.splitlines()) == 3
    assert trainfold("verify", "Talks", "--version", "latest", "--json").json["version"] == 2
    back = trainfold("rollback", "Talks", "--to", "רענון-1", "--reason", "too noisy", "--json")
    assert (back.json["version"], back.json["reason"], back.json["restores"]) == (3, "rollback", 1)
    listed = trainfold("versions", "Talks").out
    assert "rollback to 1: too noisy" in listed
    assert "רענון-1" in listed


def test_rolling_back_to_what_is_current_is_blocked(trainfold, ids):
    for to in ("2", "latest"):
        ran = trainfold("rollback", "Talks", "--to", to)
        assert ran.code == 3
        assert "there is nothing to roll back" in ran.out
    assert trainfold("rollback", "Talks", "--to", "9").code == 4


def test_a_tag_moves_and_a_protected_one_stays(trainfold, ids):
    assert trainfold("tag", "Talks", "1", "good").code == 0
    moved = trainfold("tag", "Talks", "latest", "good", "--protected", "--json").json
    assert (moved["version"], moved["tags"]) == (2, [{"name": "good", "is_protected": True}])
    assert trainfold("tag", "Talks", "2", "good").out == "Tags of version 2 of “Talks”: good\n"
    for words in (("tag", "Talks", "1", "good"), ("untag", "Talks", "good")):
        ran = trainfold(*words, "--json")
        assert (ran.code, ran.json["blocked"][0]["code"]) == (3, "tag-protected")
    assert "good (protected)" in trainfold("versions", "Talks").out
    trainfold("tag", "Talks", "1", "Good")
    removed = trainfold("untag", "Talks", "Good")
    assert (removed.code, removed.out) == (0, "Tags of version 1 of “Talks”: none\n")
    assert trainfold("untag", "Talks", "Good").code == 4


@pytest.mark.parametrize(
    "name",
    ["", " ", "12", "٣٤", "latest", "a b", "a/b", "a\\b", "..", "a\0", "-x", "_", "x" * 65,
     "\u200d", "a\u202eb", "🌷"],
)  # fmt: skip
def test_what_cannot_be_a_tag_is_refused(trainfold, ids, name):
    ran = trainfold("tag", "--json", "--", "Talks", "1", name)
    assert (ran.code, ran.json["blocked"][0]["code"]) == (3, "bad-tag")
    assert trainfold("untag", "--", "Talks", name).code == 4
    assert [version["tags"] for version in trainfold("versions", "Talks", "--json").json] == [
        [],
        [],
    ]


@pytest.mark.parametrize("version", ["0", "-1", "a b", "", "x" * 65])
def test_what_can_be_no_version_is_a_usage_error(trainfold, ids, version):
    for words in (
        ("verify", "Talks", f"--version={version}"),
        ("tag", "--", "Talks", version, "x"),
    ):
        assert trainfold(*words).code == 2


def test_tags_are_compared_after_composition_and_by_case(trainfold, ids):
    trainfold("tag", "Talks", "1", "e\u0301te\u0301")
    assert trainfold("verify", "Talks", "--version", "\u00e9t\u00e9", "--json").json["version"] == 1
    assert trainfold("verify", "Talks", "--version", "\u00c9t\u00e9").code == 4
