"""Exports in the store: made once, recorded, verified, swept, whatever happens meanwhile."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from pyarrow import parquet

from db.commit import MAX_COMMIT_TIME
from db.engine import reading
from db.exports import stored_exports
from db.versions import referenced_keys
from domain.errors import Blocked, CommitConflict, Damaged, NotReady, Unreachable
from domain.exports import EXPORT_FORMATS, Side
from domain.versions.record import VersionRecord
from operations import parquet as writing_parquet
from operations import resources
from operations import stored_exports as operation
from operations.export import write_exports
from operations.export_reading import proven_export
from operations.settings import DELETED_FILE_GRACE
from operations.stored_exports import ensure_exports
from operations.sweep import sweep_store
from operations.verify import verify_version
from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.conftest import Library, emptied_bucket

NO_AGE = timedelta(0)


@pytest.fixture(autouse=True)
def empty_bucket(stack):
    emptied_bucket()


def make(version: VersionRecord, *formats: str, **options: Any):
    store = resources.training_files_store()
    return ensure_exports(
        resources.engine(), store, version, formats, created_by="a test", **options
    )


def content(version: VersionRecord, export) -> bytes:
    engine, store = resources.engine(), resources.training_files_store()
    return b"".join(proven_export(engine, store, version, export))


def export_keys(training_files) -> set[str]:
    return {item.key for item in training_files.listed() if "/export/" in item.key}


def test_an_export_is_made_once_and_found_again(library: Library, training_files):
    version = carry_out(request("Talks", library.add_many(3), new=True))
    made = make(version, *EXPORT_FORMATS)
    assert [export.format for export in made] == list(EXPORT_FORMATS)
    assert [(it.row_count, it.target_count, it.conversation_count) for it in made] == [
        (3, 6, 3), (6, 6, 3), (3, 6, 3), (6, 6, 3)
    ]  # fmt: skip
    assert make(version, *EXPORT_FORMATS) == made
    assert export_keys(training_files) == {export.key for export in made}
    assert {len(content(version, export)) for export in made} == {it.size_bytes for it in made}
    lines = content(version, made[0]).splitlines()
    assert [list(json.loads(line)) for line in lines] == [["messages"]] * 3


def test_what_is_missing_is_made_beside_what_is_there(library: Library, training_files):
    version = carry_out(request("Talks", [library.add()], new=True))
    (messages,) = make(version, "messages")
    both = make(version, "messages", "sharegpt")
    assert [export.format for export in both] == ["messages", "sharegpt"]
    assert both[0] == messages
    assert len(export_keys(training_files)) == 2


def test_makers_at_the_same_time_end_with_one_row_and_one_object(
    library: Library, training_files, monkeypatch: pytest.MonkeyPatch
):
    version = carry_out(request("Talks", library.add_many(2), new=True))
    together = Barrier(3)
    record = operation.record_exports

    def record_together(*arguments: Any, **options: Any) -> set[str]:
        together.wait(timeout=60)
        return record(*arguments, **options)

    monkeypatch.setattr(operation, "record_exports", record_together)
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(make, version, "messages", "parquet") for _ in range(3)]
        made = [future.result() for future in futures]
    assert made[0] == made[1] == made[2]
    assert export_keys(training_files) == {export.key for export in made[0]}
    with reading(resources.engine()) as connection:
        assert stored_exports(connection, version) == made[0]


def test_maintenance_keeps_exports_and_removes_what_nobody_recorded(
    engine, library: Library, training_files
):
    version = carry_out(request("Talks", [library.add()], new=True))
    (export,) = make(version, "messages")
    orphan = export.key.replace("messages", "sharegpt")
    training_files.put(orphan, b"{}", content_type="application/x-ndjson")
    swept = sweep_store(engine, training_files, safe_age=NO_AGE, delete=True)
    assert swept.objects == (orphan,)
    assert content(version, export)
    with reading(engine) as connection:
        assert export.key in referenced_keys(connection, grace=DELETED_FILE_GRACE)


def test_verify_names_a_damaged_and_a_missing_export_and_again_repairs_them(
    engine, library: Library, training_files
):
    version = carry_out(request("Talks", [library.add()], new=True))
    damaged, missing, sound = make(version, "messages", "sharegpt", "parquet")
    assert verify_version(engine, training_files, "Talks") == version
    bent = content(version, damaged).replace(b"role", b"rule", 1)
    training_files.put(damaged.key, bent, content_type="application/x-ndjson")
    training_files.delete(missing.key)
    with pytest.raises(Damaged) as found:
        verify_version(engine, training_files, "Talks")
    first, second = found.value.findings
    assert "messages.jsonl differs from its recorded sha256" in first
    assert "sharegpt.jsonl is gone" in second
    for export in (damaged, missing):
        with pytest.raises(Damaged, match="--again"):
            content(version, export)
    renewed = make(version, "messages", "sharegpt", again=True)
    assert verify_version(engine, training_files, "Talks") == version
    assert {it.sha256 for it in renewed} == {damaged.sha256, missing.sha256}
    assert not {it.key for it in renewed} & {damaged.key, missing.key}
    assert make(version, "parquet") == [sound]


def test_a_conversation_that_is_no_chat_leaves_neither_row_nor_object(
    engine, library: Library, training_files
):
    bad = library.add()
    value = conversation(bad)
    value["training_pairs"][2]["system_prompt"] += " Be brief."
    library.store.put(f"tests/{bad}.json", as_bytes(value), content_type="application/json")
    version = carry_out(request("Talks", [library.add(), bad], new=True))
    with pytest.raises(Blocked, match="another system prompt"):
        make(version, *EXPORT_FORMATS)
    assert export_keys(training_files) == set()
    with reading(engine) as connection:
        assert stored_exports(connection, version) == []


def test_a_version_without_an_answer_is_refused(library: Library, training_files):
    id = UUID(int=7)
    library.add(id, data=as_bytes(conversation(id, turns=1)))
    version = carry_out(request("Questions", [id], new=True))
    with pytest.raises(Blocked, match="no answer to learn"):
        make(version, "messages")
    assert export_keys(training_files) == set()


def test_objects_that_vanish_or_are_too_old_are_not_recorded(
    engine, library: Library, training_files, monkeypatch: pytest.MonkeyPatch
):
    version = carry_out(request("Talks", [library.add()], new=True))
    look = operation._look_again

    def vanish(store, export):
        store.delete(export.key)
        look(store, export)

    monkeypatch.setattr(operation, "_look_again", vanish)
    with pytest.raises(Unreachable, match="No export was recorded"):
        make(version, "messages")
    monkeypatch.undo()
    now = operation.current_time
    monkeypatch.setattr(
        operation, "current_time", lambda connection: now(connection) - 2 * MAX_COMMIT_TIME
    )
    with pytest.raises(CommitConflict, match="Ask for them again"):
        make(version, "messages")
    assert export_keys(training_files) == set()
    with reading(engine) as connection:
        assert stored_exports(connection, version) == []


def test_sides_are_files_of_their_own_and_a_column(library: Library, training_files):
    ids = library.add_many(3)
    version = carry_out(request("Talks", ids, new=True))
    sides: dict[UUID, Side] = {ids[0]: "train", ids[1]: "validation", ids[2]: "train"}
    made = make(version, "messages", "parquet", sides=sides)
    assert [(it.part.file_name, it.row_count) for it in made] == [
        ("messages.train.jsonl", 2), ("messages.validation.jsonl", 1), ("examples.parquet", 6),
    ]  # fmt: skip
    table = read(content(version, made[2]))
    assert {UUID(row["conversation_id"]): row["split"] for row in table.to_pylist()} == sides
    whole = make(version, "messages", "parquet")
    assert [it.part.file_name for it in whole] == ["messages.jsonl", "examples.parquet"]
    assert read(content(version, whole[1]))["split"].null_count == 6
    assert make(version, "messages", "parquet", sides=sides) == made


def test_a_side_without_rows_has_no_file(library: Library, training_files):
    ids = library.add_many(2)
    version = carry_out(request("Talks", ids, new=True))
    sides: dict[UUID, Side] = dict.fromkeys(ids, "train")
    (made,) = make(version, "messages", sides=sides)
    assert made.part.file_name == "messages.train.jsonl"
    assert make(version, "messages", sides=sides) == [made]
    assert export_keys(training_files) == {made.key}
    training_files.delete(made.key)
    with pytest.raises(Damaged, match="--format messages --validation SHARE --again"):
        content(version, made)


def read(data: bytes) -> pa.Table:
    return parquet.read_table(pa.BufferReader(data))


def test_two_parquet_files_have_one_schema_and_are_written_in_groups(
    engine, library: Library, training_files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writing_parquet, "MAX_GROUP_ROWS", 2)
    one, two = library.add_many(2)
    library.batch(two)
    noted = conversation(two, turns=4)
    noted["training_pairs"][1]["training_metadata"]["reviewer_notes"] = "Good."
    library.store.put(f"tests/{two}.json", as_bytes(noted), content_type="application/json")
    tables = []
    for name, ids in (("Plain", [one]), ("Noted", [one, two])):
        version = carry_out(request(name, ids, new=True))
        write_exports(engine, training_files, version, tmp_path, ["parquet"])
        file = parquet.ParquetFile(tmp_path / "examples.parquet")
        assert file.metadata.num_row_groups == len(ids)
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        tables.append(file.read())
    assert tables[0].schema.equals(tables[1].schema)
    both = pa.concat_tables(tables)
    assert both.num_rows == 6
    assert both["reviewer_notes"].null_count == 5
    assert both["batch_id"].null_count < 6


def test_without_pyarrow_one_sentence_says_what_to_install(
    library: Library, training_files, monkeypatch: pytest.MonkeyPatch
):
    version = carry_out(request("Talks", [library.add()], new=True))
    monkeypatch.setattr(writing_parquet, "find_spec", lambda _: None)
    with pytest.raises(NotReady) as refused:
        make(version, "messages", "parquet")
    assert "pip install 'trainfold[exports]'" in str(refused.value)
    assert str(refused.value).count(". ") == 0
    assert export_keys(training_files) == set()
    assert [it.format for it in make(version, "messages")] == ["messages"]


def test_no_room_for_temporary_files_is_told(
    library: Library, training_files, monkeypatch: pytest.MonkeyPatch
):
    version = carry_out(request("Talks", [library.add()], new=True))

    def full(*_: Any, **__: Any):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(operation, "write_exports", full)
    with pytest.raises(NotReady, match="TMPDIR"):
        make(version, "messages")
