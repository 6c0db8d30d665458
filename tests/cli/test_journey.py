import json
from uuid import uuid4

from soak.building import as_bytes, conversation
from tests.asking import carry_out, content_of, request
from tests.conftest import Library


def write(folder, *, count: int):
    """Conversation files in a folder; their ids in the order of their names."""
    folder.mkdir()
    ids = sorted(uuid4() for _ in range(count))
    for id in ids:
        (folder / f"{id}.json").write_bytes(as_bytes(conversation(id)))
    return [str(id) for id in ids]


def test_from_files_to_downloads(trainfold, prefect_server, tmp_path):
    ids = write(tmp_path / "batch", count=3)
    imported = trainfold("import", "batch", "--batch", "Monday", "--json")
    assert (imported.code, imported.json["imported"]) == (0, ids)

    listed = trainfold("conversations", "--batch", "Monday", "--sort", "batch", "--json").json
    assert {row["conversation_id"] for row in listed} == set(ids)
    assert {tuple(row["batch_names"]) for row in listed} == {("Monday",)}

    made = trainfold("add", "Talks", "--batch", "Monday", "--new", "--as", "Noor",
                     "--description", "First talks", "--request-id", "r-1", "--json")  # fmt: skip
    assert made.code == 0
    assert (made.json["version"], made.json["created_by"]) == (1, "Noor")
    again = trainfold("add", "Talks", "--batch", "Monday", "--new", "--request-id", "r-1", "--json")
    assert again.json == made.json

    more = trainfold("import", "batch", "--json")
    assert (more.json["imported"], more.json["unchanged"]) == ([], ids)

    files = trainfold("files", "--json").json
    assert [(file["name"], file["description"]) for file in files] == [("Talks", "First talks")]
    assert trainfold("show", "talks", "--json").json["conversation_ids"] == ids
    assert [each["version"] for each in trainfold("versions", "Talks", "--json").json] == [1]
    assert trainfold("verify", "Talks", "--json").json["sound"] is True

    assert trainfold("download", "Talks", "--format", "json").code == 0
    full = (tmp_path / "Talks-v1.json").read_bytes()
    assert len(full) == made.json["json"]["size_bytes"]
    assert len(json.loads(full)["conversations"]) == 3
    lines = trainfold("download", "Talks", "--format", "jsonl", "-o", "-").out.splitlines()
    assert json.loads(lines[0])["_meta"]["total_pairs"] == len(lines) - 1 == 6
    assert trainfold("url", "Talks", "--format", "jsonl", "--json").json["url"].startswith("http")

    copied = trainfold("import", "Talks-v1.json", "--json")
    assert (copied.code, copied.json["unchanged"]) == (0, ids)


def test_a_changed_conversation_needs_update(trainfold, tmp_path):
    (id,) = write(tmp_path / "batch", count=1)
    trainfold("import", "batch")
    changed = conversation(id)
    changed["training_pairs"][3]["target_response"] = "Another answer altogether."
    (tmp_path / "batch" / f"{id}.json").write_bytes(as_bytes(changed))
    refused = trainfold("import", "batch", "--json")
    assert (refused.code, refused.json["refused"][0]["code"]) == (3, "differs")
    updated = trainfold("import", "batch", "--update", "--json")
    assert (updated.code, updated.json["updated"]) == (0, [id])


def test_import_takes_the_good_and_names_the_bad(trainfold, tmp_path):
    ids = write(tmp_path / "batch", count=2)
    (tmp_path / "batch" / "broken.json").write_text('{"half":')
    (tmp_path / "batch" / "copy.json").write_bytes(as_bytes(conversation(ids[0])))
    ran = trainfold("import", "batch", "--json")
    assert (ran.code, ran.json["imported"]) == (1, ids)
    assert sorted(each["code"] for each in ran.json["refused"]) == [
        "not-json",
        "repeated-in-import",
    ]


def test_a_damaged_object_is_found_by_verify_and_by_download(
    trainfold, library: Library, training_files
):
    version = carry_out(request("Talks", library.add_many(2), new=True))
    full, _ = content_of(version)
    bent = full.replace(b"number 2", b"number 3", 1)
    training_files.put(version.full.key, bent, content_type="application/json")
    verified = trainfold("verify", "Talks")
    assert verified.code == 1
    assert "differ from the recorded digest" in verified.err
    downloaded = trainfold("download", "Talks", "--format", "json", "-o", "x.json")
    assert downloaded.code == 1
    assert trainfold("download", "Talks", "--format", "json", "--version", "9").code == 4


def test_a_listed_conversation_is_a_document_of_these_fields(trainfold, library: Library):
    id = library.add(
        persona_key="p", emotional_arc_key="a", topic_key="t", quality_score="4.50", tier="seed",
        created_at="2026-01-02T03:04:05Z",
    )  # fmt: skip
    first, second = library.batch(id, name="Monday"), library.batch(id, name=None)
    carry_out(request("Talks", [id], new=True))
    (row,) = trainfold("conversations", "--json").json
    assert list(row.items()) == [
        ("conversation_id", str(id)),
        ("persona_key", "p"),
        ("emotional_arc_key", "a"),
        ("topic_key", "t"),
        ("quality_score", "4.50"),
        ("tier", "seed"),
        ("enrichment_status", "completed"),
        ("created_at", "2026-01-02T03:04:05+00:00"),
        ("batch_ids", [str(first), str(second)]),
        ("batch_names", ["Monday", None]),
        ("training_files", ["Talks"]),
    ]
    assert f"Monday, {second}" in trainfold("conversations").out


def test_an_empty_start_says_how_to_begin(trainfold):
    assert "trainfold add NAME --new" in trainfold("files").out
    assert "trainfold import" in trainfold("conversations").out
    assert trainfold("files", "--json").json == []
