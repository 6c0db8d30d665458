"""Retention: maintenance releases what a policy does not keep, and removes its objects."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from db.engine import reading
from db.versions import find_stored_version, find_version, versions
from domain.errors import Blocked, NotFound, NotReady
from domain.versions.naming import INSTALLATION_KEY
from domain.versions.retention import KeepPolicy
from operations import resources
from operations.keep import keep, read_policy
from operations.release import release_versions
from operations.sweep import sweep_store
from operations.verify import verified_content, verify_version
from tests.asking import carry_out, content_of, request
from tests.conftest import Library, emptied_bucket
from tests.file_commands import actions, command, logged

AT_ONCE = timedelta(minutes=-1)
"""As safe age: a version may go as soon as there is a newer one."""


@pytest.fixture(autouse=True)
def empty_bucket(stack):
    emptied_bucket()


def grown(library: Library, name: str = "A", *, count: int = 4):
    """A training file with so many versions, oldest first."""
    return [carry_out(request(name, [library.add()], new=number == 0)) for number in range(count)]


def keys_of(training_files) -> set[str]:
    return {item.key for item in training_files.listed()} - {INSTALLATION_KEY}


def keys(*records) -> set[str]:
    return {key for it in records for key in (it.full.key, it.lines.key)}


def maintain(engine, training_files, *, delete=True, safe_age=AT_ONCE):
    return sweep_store(engine, training_files, safe_age=safe_age, delete=delete)


def test_all_versions_are_kept_unless_somebody_says_otherwise(engine, library, training_files):
    records = grown(library)
    assert read_policy(engine, "a") == ("A", KeepPolicy())
    swept = maintain(engine, training_files)
    assert (swept.released, swept.objects) == ((), ())
    assert keys_of(training_files) == keys(*records)


def test_a_dry_run_lists_what_a_run_removes(engine, library, training_files):
    records = grown(library)
    keep(engine, command("A"), KeepPolicy(last=2))
    listed = maintain(engine, training_files, delete=False)
    assert [(it.training_file, it.version) for it in listed.released] == [("A", 2), ("A", 1)]
    assert set(listed.objects) == keys(*records[:2])
    assert sum(it.size_bytes for it in listed.released) == listed.size_bytes
    assert keys_of(training_files) == keys(*records)
    removed = maintain(engine, training_files)
    assert set(removed.objects) == set(listed.objects)
    assert removed.released == listed.released
    assert keys_of(training_files) == keys(*records[2:])
    again = maintain(engine, training_files)
    assert (again.released, again.objects) == ((), ())


def test_a_released_version_is_listed_and_says_in_words_that_it_is_gone(
    engine, library, training_files
):
    records = grown(library)
    keep(engine, command("A"), KeepPolicy(last=2))
    maintain(engine, training_files)
    with reading(engine) as connection:
        listed = versions(connection, "A")
        gone = find_version(connection, "A", 1)
    assert [(it.number, it.released_at is None) for it in listed] == [
        (4, True), (3, True), (2, False), (1, False),
    ]  # fmt: skip
    assert gone.model_copy(update={"released_at": None}) == records[0]
    words = r"Version 1 of “A” was released on .* still there: 3 to 4\."
    with pytest.raises(NotFound, match=words):
        verify_version(engine, training_files, "A", 1)
    with reading(engine) as connection, pytest.raises(NotFound, match=words):
        find_stored_version(connection, "A", 1)
    # Whoever has found the version before it was released is told the same.
    with pytest.raises(NotFound, match=words):
        list(verified_content(engine, training_files, records[0], "json"))
    assert verify_version(engine, training_files, "A").number == 4
    assert content_of(records[3])
    assert actions("A")[-3:] == [("keep", "done"), ("release", "done"), ("release", "done")]
    assert logged("A")[0].in_words == "The policy keeps the current version, the last 2."
    assert carry_out(request("A", [library.add()])).number == 5


def test_a_crash_between_release_and_removal_leaves_garbage_for_the_next_run(
    engine, library, training_files
):
    records = grown(library)
    keep(engine, command("A"), KeepPolicy(last=1))
    assert len(release_versions(engine, safe_age=AT_ONCE, delete=True)) == 3
    assert keys_of(training_files) == keys(*records)
    swept = maintain(engine, training_files)
    assert (swept.released, set(swept.objects)) == ((), keys(*records[:3]))
    assert keys_of(training_files) == keys(records[3])


def test_a_version_that_a_running_request_may_copy_from_is_kept(engine, library, training_files):
    records = grown(library)
    keep(engine, command("A"), KeepPolicy(last=1))
    swept = maintain(engine, training_files, safe_age=timedelta(hours=2))
    assert (swept.released, swept.objects) == ((), ())
    assert keys_of(training_files) == keys(*records)


def test_policies_are_of_one_file_each_and_can_be_taken_back(engine, library, training_files):
    others = grown(library, "B", count=2)
    records = grown(library)
    keep(engine, command("A"), KeepPolicy(last=1))
    keep(engine, command("a"), KeepPolicy())
    keep(engine, command("A"), KeepPolicy())
    assert maintain(engine, training_files).released == ()
    keep(engine, command("A"), KeepPolicy(days=1))
    assert maintain(engine, training_files).released == ()
    keep(engine, command("A"), KeepPolicy(tagged=True))
    assert len(maintain(engine, training_files).released) == 3
    assert keys_of(training_files) == keys(*others, records[-1])
    assert [it for it in actions("A") if it[0] == "keep"] == [("keep", "done")] * 4


def test_a_policy_out_of_range_is_refused_and_recorded(engine, library):
    grown(library, count=1)
    with pytest.raises(Blocked, match="“last” is 0; it can be 1 to"):
        keep(engine, command("A"), KeepPolicy(last=0))
    assert read_policy(engine, "A")[1].keeps_all
    assert actions("A")[-1] == ("keep", "refused")
    with pytest.raises(NotFound):
        keep(engine, command("No file"), KeepPolicy(last=1))
    with pytest.raises(NotFound):
        read_policy(engine, "\0")


def test_the_wrong_bucket_releases_nothing(engine, library):
    grown(library)
    keep(engine, command("A"), KeepPolicy(last=1))
    with pytest.raises(NotReady, match="is not the one that holds"):
        maintain(engine, resources.conversations_store())
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM trainfold.released_versions")
        assert connection.execute(query).scalar_one() == 0
