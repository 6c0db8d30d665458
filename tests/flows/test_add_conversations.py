import base64
import json
import time
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

import tasks.add
from db.engine import reading
from db.versions import find_version, versions
from domain.errors import Blocked, NotFound, NotReady, Unreachable
from flows.add_conversations import add_conversations
from flows.rebuild import rebuild_training_file
from operations import resources
from operations.rename import rename
from operations.verify import verify_version
from soak.building import as_bytes, conversation, profile
from tests.conftest import HOME, Library
from tests.damaged import add_damaged, refuse
from tests.file_commands import actions, command, logged
from tests.rest import rest

pytestmark = pytest.mark.usefixtures("prefect_server")


def run(name: str, ids, **changes):
    return add_conversations(
        training_file=name, conversation_ids=[str(id) for id in ids], return_state=True, **changes
    )


def blocked(name: str, ids, **changes) -> dict[str, str]:
    """Code by conversation of a request that must be blocked, with nothing written."""
    state = run(name, ids, **changes)
    assert (state.type.value, state.name) == ("FAILED", "Blocked")
    with pytest.raises(Blocked) as caught:
        state.result()
    with reading(resources.engine()) as connection, pytest.raises(NotFound):
        find_version(connection, name)
    return {reason.conversation_id: reason.code for reason in caught.value.reasons}


def api(url: str, path: str, **body):
    answer = rest(url).post(path, json=body)
    answer.raise_for_status()
    return answer.json()


def test_creating_and_adding_make_two_sound_versions(library: Library, engine, training_files):
    ids = library.add_many(5)
    first = run("Talks", ids[:3], new=True, requested_by="Noor").result()
    second = run("Talks", ids[3:]).result()
    assert [first.number, second.number] == [1, 2]
    assert (first.created_by, second.conversation_count) == ("Noor", 5)
    for number in (1, 2):
        verify_version(engine, training_files, "Talks", number)


def test_80_conversations_in_one_request(library: Library, engine, training_files):
    version = run("Eighty", library.add_many(80), new=True).result()
    assert (version.conversation_count, version.example_count) == (80, 160)
    verify_version(engine, training_files, "Eighty")


def test_81_conversations_are_refused_before_anything_runs(library: Library, prefect_server):
    codes = blocked("Eighty-one", [uuid4() for _ in range(81)], new=True)
    assert codes == {None: "too-many"}


def bad_objects() -> dict[str, bytes]:
    other = as_bytes(conversation(uuid4()))
    return {
        "empty-file": b"",
        "not-json": other[: len(other) // 2],
        "not-utf-8": other.replace(b"today", b"tod\xe4y"),
        "wrong-type": b"[]",
        "other-conversation": other,
    }


def test_objects_that_cannot_be_used_are_reasons_all_at_once(library: Library):
    broken = {library.add(data=data): code for code, data in bad_objects().items()}
    missing = library.add(enriched_file_path="nobody/put/this.json")
    good = library.add_many(2)
    codes = blocked("Broken", [good[0], *broken, missing, good[1]], new=True)
    expected = {str(id): code for id, code in broken.items()}
    assert codes == expected | {str(missing): "object-missing"}


def test_a_blocked_request_leaves_a_table_of_reasons(library: Library, prefect_server):
    unknown = uuid4()
    blocked("Table of reasons", [unknown], new=True)
    (artifact,) = api(
        prefect_server,
        "/artifacts/filter",
        artifacts={"key": {"like_": "blocked-table-of-reasons-%"}},
    )
    (row,) = json.loads(artifact["data"])
    assert (row["conversation"], row["code"]) == (str(unknown), "unknown-conversation")


def test_a_version_leaves_a_summary_with_links_to_both_downloads(library: Library, prefect_server):
    version = run("Summed up", library.add_many(2), new=True).result()
    (artifact,) = api(
        prefect_server,
        "/artifacts/filter",
        artifacts={
            "key": {"any_": [f"training-file-summed-up-{version.training_file_id.hex[:8]}"]}
        },
    )
    text = artifact["data"]
    assert "2 conversations, 8 training pairs, 4 examples" in text
    for name in ("Summed up-v1.json", "Summed up-v1.jsonl"):
        link = text.split(f"[{name}](", 1)[1].split(")", 1)[0]
        assert httpx.get(link).status_code == 200
    assert version.full.digest in text


def test_progress_reaches_100_percent(library: Library, prefect_server):
    run("In progress", library.add_many(3), new=True)

    def shown() -> float:
        (last, *_) = api(
            prefect_server,
            "/artifacts/filter",
            artifacts={"type": {"any_": ["progress"]}},
            sort="CREATED_DESC",
            limit=1,
        )
        return last["data"]

    deadline = time.monotonic() + 10
    while shown() < 100 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert shown() == 100


def test_another_consultants_conversation_is_blocked(library: Library):
    stranger = uuid4()
    file = conversation(stranger) | {"consultant_profile": profile(name="Somebody Else")}
    library.add(stranger, data=as_bytes(file))
    assert blocked("Mixed", [library.add(), stranger], new=True) == {
        str(stranger): "other-consultant"
    }


def test_a_file_that_refuses_damage_blocks_a_run_and_names_it_in_a_rebuild(library: Library):
    old = add_damaged(library)
    assert run("Sound", [old], new=True).is_completed()
    refuse("Sound")
    id = add_damaged(library)
    state = run("Sound", [library.add(), id])
    assert state.name == "Blocked"
    with pytest.raises(Blocked, match="refuses damaged text"):
        state.result()
    state = rebuild_training_file("Sound", return_state=True)
    message = (
        "Version 1 is up to date; nothing was written; 1 conversations in it have damaged text"
    )
    assert (state.name, state.message) == ("Unchanged", message)
    assert state.result().damaged == (old,)


def test_a_strict_request_is_blocked_by_warnings(library: Library):
    id = uuid4()
    file = conversation(id)
    file["training_pairs"][1]["conversation_metadata"]["conversation_phase"] = "new_words"
    library.add(id, data=as_bytes(file))
    assert blocked("Strict", [id], new=True, strict=True) == {str(id): "unknown-word"}
    version = run("Strict", [id], new=True).result()
    assert [warning.code for warning in version.warnings] == ["unknown-word"]


def test_the_same_request_id_again_makes_no_second_version(library: Library, engine):
    ids = library.add_many(2)
    first = run("Twice", ids, new=True, request_id="twice-1").result()
    again = run("Twice", ids, new=True, request_id="twice-1").result()
    assert again == first
    with reading(engine) as connection:
        assert len(versions(connection, "Twice")) == 1


def test_without_a_request_id_it_is_the_flow_runs(library: Library):
    version = run("Own id", library.add_many(1), new=True).result()
    assert UUID(version.request_id)


def test_a_store_that_is_away_for_a_moment_is_asked_again(library: Library, monkeypatch):
    """The store's first answers fail as a restarting server's do; the fetch retries."""
    ids = library.add_many(2)
    real = type(library.store).get
    calls = []

    def get(self, key, *, max_bytes):
        # The other bucket is read to see whose it is, before anything is fetched.
        if self.bucket == library.store.bucket:
            calls.append(key)
            if len(calls) <= 2:
                raise Unreachable("away")
        return real(self, key, max_bytes=max_bytes)

    monkeypatch.setattr(type(library.store), "get", get)
    assert run("Retried", ids, new=True).result().number == 1
    assert len(calls) == 4


@pytest.fixture
def keys_read(library: Library, monkeypatch) -> list[str]:
    """The keys of the sources that were read, in order."""
    real = type(library.store).get
    keys: list[str] = []

    def get(self, key, *, max_bytes):
        if self.bucket == library.store.bucket:
            keys.append(key)
        return real(self, key, max_bytes=max_bytes)

    monkeypatch.setattr(type(library.store), "get", get)
    return keys


def put_source(library: Library, id: UUID, file: dict) -> None:
    """Overwrite a source in place, under the key that its row names."""
    library.store.put(f"tests/{id}.json", as_bytes(file), content_type="application/json")


def of_stranger(id: UUID) -> dict:
    return conversation(id) | {"consultant_profile": profile(name="Somebody Else")}


def test_a_repeated_request_fetches_nothing_again(library: Library, keys_read: list[str]):
    """Its first run was blocked in the reduce, after all was fetched and validated."""
    ids = [library.add(), uuid4()]
    library.add(ids[1], data=as_bytes(of_stranger(ids[1])))
    expected = {str(ids[1]): "other-consultant"}
    assert blocked("Kept", ids, new=True, request_id="kept-1") == expected
    assert len(keys_read) == 2
    assert blocked("Kept", ids, new=True, request_id="kept-1") == expected
    assert len(keys_read) == 2
    assert blocked("Kept", ids, new=True, request_id="kept-2") == expected
    assert len(keys_read) == 4


def test_a_source_that_is_mended_in_place_is_fetched_again(library: Library, keys_read: list[str]):
    """The same request id: the version holds the bytes that are in the store, not kept ones."""
    ids = [library.add(), uuid4()]
    library.add(ids[1], data=as_bytes(of_stranger(ids[1])))
    blocked("Mended", ids, new=True, request_id="mended-1")
    put_source(library, ids[1], conversation(ids[1], turns=6))
    version = run("Mended", ids, new=True, request_id="mended-1").result()
    assert version.pair_count == 4 + 6
    assert keys_read.count(f"tests/{ids[0]}.json") == 1


def test_a_refusal_of_a_file_ends_when_the_file_is_mended(library: Library):
    id = library.add(data=b'{"not": "a conversation"}')
    assert str(id) in blocked("Refused", [id], new=True, request_id="refused-1")
    put_source(library, id, conversation(id))
    assert run("Refused", [id], new=True, request_id="refused-1").result().number == 1


def test_a_source_that_is_spoiled_or_gone_is_refused_though_it_was_fetched(library: Library):
    ids = [library.add(), library.add(), uuid4()]
    library.add(ids[2], data=as_bytes(of_stranger(ids[2])))
    blocked("Spoiled", ids, new=True, request_id="spoiled-1")
    library.store.put(f"tests/{ids[0]}.json", b"{}", content_type="application/json")
    library.store.delete(f"tests/{ids[1]}.json")
    codes = blocked("Spoiled", ids, new=True, request_id="spoiled-1")
    assert codes == {str(ids[0]): "missing-key", str(ids[1]): "object-missing"}


def test_a_missing_object_is_asked_for_once(library: Library, keys_read: list[str]):
    id = library.add(enriched_file_path="nobody/put/this.json")
    assert blocked("Missing", [id], new=True) == {str(id): "object-missing"}
    assert len(keys_read) == 1


def test_a_bucket_that_is_not_there_ends_the_run_in_words(library: Library, monkeypatch):
    monkeypatch.setenv("TRAINFOLD_TRAINING_FILES_BUCKET", "no-such-bucket")
    resources.forget()
    try:
        with pytest.raises(NotReady, match="no-such-bucket"):
            run("No bucket", [library.add()], new=True).result()
    finally:
        monkeypatch.undo()
        resources.forget()


def stored_result(file: Path) -> bytes:
    """The pickle that Prefect stored, with its metadata around it or without."""
    text = file.read_text()
    return base64.b64decode(json.loads(text)["result"] if text.startswith("{") else text)


def test_no_secret_is_in_anything_that_prefect_keeps(library: Library, prefect_server):
    run("Secretive", library.add_many(1), new=True)
    blocked("Secretive and blocked", [uuid4()], new=True)
    secret = resources.settings().s3_secret_key.get_secret_value().encode()
    password = resources.settings().require_database_url().split(":")[2].split("@")[0].encode()
    kept = [
        json.dumps(api(prefect_server, path, limit=200)).encode()
        for path in ("/flow_runs/filter", "/task_runs/filter", "/artifacts/filter", "/logs/filter")
    ]
    results = [stored_result(file) for file in (HOME / "prefect/storage").iterdir()]
    assert results
    kept += results
    assert not any(secret in text or password in text for text in kept)


def test_what_a_run_refuses_is_in_the_log_once_with_the_run(library: Library):
    broken = library.add(data=b"{")
    for _ in range(2):
        state = run("Refused", [broken], new=True, requested_by="Noor", request_id="r-1")
        assert state.name == "Blocked"
    (entry,) = logged("Refused")
    assert (entry.action, entry.outcome, entry.actor) == ("create", "refused", "Noor")
    assert (entry.request_id, entry.training_file_id) == ("r-1", None)
    assert UUID(entry.run_id)
    assert entry.detail["reasons"][0]["conversation_id"] == str(broken)


def test_a_file_that_is_renamed_during_a_run_gets_no_version(library: Library, monkeypatch):
    run("Before", [library.add()], new=True).result()
    make_version = tasks.add.make_version

    def rename_first(engine, *arguments, **options):
        rename(engine, command("Before"), "After")
        return make_version(engine, *arguments, **options)

    monkeypatch.setattr(tasks.add, "make_version", rename_first)
    state = run("Before", [library.add()])
    assert state.name == "Failed"
    assert state.message.startswith("“Before” was renamed to “After” while")
    assert actions("After") == [("create", "done"), ("rename", "done")]
    assert actions("Before") == [("add", "refused")]
