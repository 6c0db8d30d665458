import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from db.commit import MAX_COMMIT_TIME, PostgresVersionLog
from db.engine import reading
from db.versions import find_version
from domain.errors import CommitConflict, NotFound, NotReady, Unreachable
from domain.source.limits import Limits
from domain.versions.changes import compose_add
from domain.versions.garbage import MAX_CLOCK_DIFFERENCE, MIN_SAFE_AGE
from domain.versions.naming import INSTALLATION_KEY, rebuild_key, version_key
from domain.versions.validation import validate
from operations.admission import gate
from operations.binding import require_bound
from operations.committing import store_objects
from operations.sweep import MAX_FOREIGN_LISTED, sweep_store
from tests.asking import carry_out, content_of, request
from tests.conftest import Library, emptied_bucket

NO_AGE = timedelta(0)
ATTEMPT = "0123abcd"
A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def empty_bucket(stack):
    emptied_bucket()


def keys_of(training_files) -> set[str]:
    return {item.key for item in training_files.listed()} - {INSTALLATION_KEY}


def written_but_not_committed(
    engine, library: Library, training_files, *, age=NO_AGE, attempt=ATTEMPT
):
    """A version whose objects are there and whose row is not, as after a crash."""
    id = library.add()
    asked = request("Crashed", [id], new=True)
    with reading(engine) as connection:
        admission = gate(connection, asked)
        now = connection.execute(text("SELECT now()")).scalar_one()
    fragments = [validate(library.files[id], admission.conversations[0], limits=Limits())]
    composition = compose_add(
        asked, admission, fragments, new_id=uuid4(), now=now - age, attempt=attempt
    )
    # What is as old as the marker, which the store dates to the second, may be somebody else's.
    marked = [item.modified for item in training_files.listed() if item.key == INSTALLATION_KEY]
    while marked and training_files.current_time() < marked[0] + timedelta(seconds=1):
        time.sleep(0.05)
    store_objects(training_files, composition)
    return composition


def test_objects_of_a_crash_are_found_and_removed_and_no_others(engine, library, training_files):
    kept = carry_out(request("A", [library.add()], new=True))
    before = content_of(kept)
    crashed = written_but_not_committed(engine, library, training_files).version
    found = sweep_store(engine, training_files, safe_age=NO_AGE, delete=False)
    assert set(found.objects) == {crashed.full.key, crashed.lines.key}
    assert found.size_bytes == crashed.full.size_bytes + crashed.lines.size_bytes
    assert len(keys_of(training_files)) == 4
    assert sweep_store(engine, training_files, safe_age=NO_AGE, delete=True).removed
    assert content_of(kept) == before
    assert sweep_store(engine, training_files, safe_age=NO_AGE, delete=True).objects == ()


def test_what_could_still_be_committed_is_left_alone(engine, library, training_files):
    composition = written_but_not_committed(engine, library, training_files)
    assert sweep_store(engine, training_files, safe_age=A_DAY, delete=True).objects == ()
    PostgresVersionLog(engine).commit(composition)
    assert content_of(composition.version)


def test_what_maintenance_may_have_removed_is_not_committed(engine, library, training_files):
    composition = written_but_not_committed(
        engine, library, training_files, age=timedelta(minutes=61)
    )
    with pytest.raises(CommitConflict, match="more than 1:00:00 ago"):
        PostgresVersionLog(engine).commit(composition)


def test_an_overtaken_request_leaves_no_object(engine, library, training_files):
    carry_out(request("A", [library.add()], new=True))
    carry_out(request("A", [library.add()]))
    assert len(keys_of(training_files)) == 4


def foreign_keys() -> list[str]:
    """Keys of an application that shares the bucket, or that look almost like ours."""
    own = version_key(uuid4(), 1, request_id="r", attempt=ATTEMPT, format="json")
    return [
        f"{uuid4()}/training.json",
        f"{uuid4()}/training.jsonl",
        f"{uuid4()}/v1/training.json",
        f"{uuid4()}/v000001/training.json",
        f"{uuid4()}/v000001-r.crashed/training.json",
        f"{uuid4()}/v000001-r/training.json",
        own.replace("training.json", "training.csv"),
        own.replace("training.json", "training.json.bak"),
        own.replace("v000001", "v1"),
        own.replace("v000001", "v000000"),
        own.upper().replace("TRAINING.JSON", "training.json"),
        f"backup/{own}",
        f"{own}/more",
        "rebuild-r.0123abcd/changed.json",
        "notes.txt",
    ]


def test_what_is_not_of_trainfolds_exact_shape_is_counted_and_never_touched(engine, training_files):
    keys = foreign_keys()
    for key in keys:
        training_files.put(key, b"theirs", content_type="application/json")
    swept = sweep_store(engine, training_files, safe_age=NO_AGE, delete=True)
    assert (swept.objects, swept.foreign_count, set(swept.foreign)) == ((), len(keys), set(keys))
    assert keys_of(training_files) == set(keys)


def test_the_list_of_foreign_objects_ends_at_a_thousand(engine, training_files, monkeypatch):
    own = list(training_files.listed())
    (marker,) = own
    many = [replace(marker, key=f"theirs/{number}") for number in range(MAX_FOREIGN_LISTED + 5)]
    monkeypatch.setattr(type(training_files), "listed", lambda _: iter([marker, *many]))
    swept = sweep_store(engine, training_files, safe_age=NO_AGE, delete=True)
    assert (len(swept.foreign), swept.foreign_count) == (MAX_FOREIGN_LISTED, len(many))


def test_the_objects_that_a_broken_rebuild_kept_are_removed(engine, library, training_files):
    kept = carry_out(request("A", [library.add()], new=True))
    key = rebuild_key(kept.training_file_id, request_id="r", attempt=ATTEMPT, format="jsonl")
    training_files.put(key, b"{}", content_type="application/json")
    assert sweep_store(engine, training_files, safe_age=NO_AGE, delete=True).objects == (key,)
    assert content_of(kept)


def test_a_crashed_create_is_removed_only_if_it_is_younger_than_the_binding(
    engine, library, training_files
):
    older = written_but_not_committed(engine, library, training_files).version
    bind_anew(engine, training_files)
    younger = written_but_not_committed(engine, library, training_files).version
    swept = sweep_store(engine, training_files, safe_age=NO_AGE, delete=True)
    assert set(swept.objects) == {younger.full.key, younger.lines.key}
    assert set(swept.foreign) == {older.full.key, older.lines.key}
    assert keys_of(training_files) == {older.full.key, older.lines.key}


def test_a_crashed_add_to_a_known_training_file_is_removed_whatever_its_age(
    engine, library, training_files
):
    kept = carry_out(request("A", [library.add()], new=True))
    key = version_key(kept.training_file_id, 2, request_id="r", attempt=ATTEMPT, format="json")
    training_files.put(key, b"{}", content_type="application/json")
    bind_anew(engine, training_files)
    assert sweep_store(engine, training_files, safe_age=NO_AGE, delete=True).objects == (key,)


def bind_anew(engine, training_files) -> None:
    """Bind the bucket a second later than all that is in it: the store dates to the second."""
    time.sleep(1.1)
    training_files.delete(INSTALLATION_KEY)
    require_bound(engine, training_files)
    time.sleep(1.1)


def begin_upload(training_files, key: str) -> str:
    begun = training_files.client.create_multipart_upload(Bucket=training_files.bucket, Key=key)
    return begun["UploadId"]


def test_only_uploads_to_trainfolds_own_keys_are_aborted(engine, library, training_files):
    kept = carry_out(request("A", [library.add()], new=True))
    key = version_key(kept.training_file_id, 2, request_id="r", attempt=ATTEMPT, format="json")
    theirs = [f"{uuid4()}/training.json", f"{uuid4()}/v1/training.json", "large/video"]
    ours = {begin_upload(training_files, key), begin_upload(training_files, kept.full.key)}
    foreign = {begin_upload(training_files, each) for each in theirs}
    assert sweep_store(engine, training_files, safe_age=NO_AGE, delete=False).uploads == 2
    assert unfinished(training_files) == ours | foreign
    assert sweep_store(engine, training_files, safe_age=A_DAY, delete=True).uploads == 0
    assert sweep_store(engine, training_files, safe_age=NO_AGE, delete=True).uploads == 2
    assert unfinished(training_files) == foreign
    assert content_of(kept)


def unfinished(training_files) -> set[str]:
    return {upload.upload_id for upload in training_files.uploads()}


@pytest.mark.parametrize("minutes", [-7, 7])
def test_clocks_that_differ_stop_maintenance(engine, library, training_files, monkeypatch, minutes):
    crashed = written_but_not_committed(engine, library, training_files).version
    clock = type(training_files).current_time
    ahead = timedelta(minutes=minutes)
    monkeypatch.setattr(type(training_files), "current_time", lambda it: clock(it) + ahead)
    with pytest.raises(NotReady, match=r"differ by 7 minutes\. Nothing was changed"):
        sweep_store(engine, training_files, safe_age=NO_AGE, delete=True)
    assert training_files.size(crashed.full.key)


def test_the_stores_clock_is_read(training_files):
    assert abs(training_files.current_time() - datetime.now(UTC)) < timedelta(seconds=10)


def test_the_safe_age_outlasts_clocks_that_differ_by_the_limit():
    assert MIN_SAFE_AGE > MAX_COMMIT_TIME + 2 * MAX_CLOCK_DIFFERENCE


def test_what_a_wrong_clock_made_maintenance_remove_is_not_committed(
    engine, library: Library, training_files, monkeypatch
):
    """The store's clock is a day behind the database's: objects are old when they are written."""
    ids = library.add_many(2)
    first = carry_out(request("Skewed", ids[:1], new=True))
    compose = type(training_files).compose
    sweeps = []

    def compose_and_sweep(store, key, segments, *, content_type):
        size = compose(store, key, segments, content_type=content_type)
        if key.endswith(".jsonl") and not sweeps:
            sweeps.append(sweep_store(engine, store, safe_age=NO_AGE, delete=True))
        return size

    monkeypatch.setattr(type(training_files), "compose", compose_and_sweep)
    asked = request("Skewed", ids[1:])
    with pytest.raises(Unreachable, match="removed before its version could be recorded"):
        carry_out(asked)
    assert len(sweeps[0].objects) == 2
    with reading(engine) as connection:
        assert find_version(connection, "Skewed").number == 1
    assert keys_of(training_files) == {first.full.key, first.lines.key}
    assert carry_out(asked).number == 2


def test_an_object_that_somebody_cut_short_is_not_committed(
    engine, library: Library, training_files, monkeypatch
):
    compose = type(training_files).compose

    def compose_and_cut(store, key, segments, *, content_type):
        size = compose(store, key, segments, content_type=content_type)
        store.put(key, b"{}", content_type=content_type)
        return size

    monkeypatch.setattr(type(training_files), "compose", compose_and_cut)
    with pytest.raises(Unreachable, match="became 2 bytes"):
        carry_out(request("Cut", [library.add()], new=True))
    with reading(engine) as connection, pytest.raises(NotFound):
        find_version(connection, "Cut")
