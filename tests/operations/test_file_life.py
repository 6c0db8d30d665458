"""Rename, archive, unarchive and delete, with PostgreSQL and S3, also while others write."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest

from db.conversation_list import conversation_rows
from db.engine import reading
from db.training_files import training_file_choices, training_file_rows
from db.versions import find_version, versions
from domain.errors import Blocked, NotFound
from domain.source.limits import Limits
from domain.versions.file_names import download_name
from domain.versions.naming import MAX_NAME_LENGTH
from domain.versions.requests import RebuildRequest
from operations.add import make_version
from operations.admission import decide
from operations.archive import archive, unarchive
from operations.delete import delete
from operations.reading import read_fragments
from operations.rebuild import RebuildPlan, compare_members, make_plan, replace_changed
from operations.rename import rename
from operations.sweep import sweep_store
from operations.verify import verified_content, verify_version
from tests.asking import carry_out, content_of, request
from tests.conftest import Library, emptied_bucket
from tests.file_commands import actions, archive_and_delete, command

NO_TIME = timedelta(0)


def names(engine) -> list[str]:
    with reading(engine) as connection:
        return [file.name for file in training_file_choices(connection)]


def codes(blocked) -> list[str]:
    return [reason.code for reason in blocked.value.reasons]


def test_versions_keep_the_name_that_they_were_made_under(engine, library, training_files):
    carry_out(request("Spring", [library.add()], new=True))
    assert rename(engine, command("spring"), " אביב 2026 ") == "אביב 2026"
    second = carry_out(request("אביב 2026", [library.add()]))
    with reading(engine) as connection:
        records = versions(connection, "אביב 2026")
    assert [record.file_name for record in records] == ["אביב 2026", "Spring"]
    for record in records:
        full, lines = content_of(record)
        assert orjson.loads(full)["training_file_metadata"]["file_name"] == record.file_name
        meta = orjson.loads(lines.splitlines()[0])["_meta"]
        assert meta["file_name"] == record.file_name
        verify_version(engine, training_files, "אביב 2026", record.number)
        assert b"".join(verified_content(engine, training_files, record, "json")) == full
    assert (
        download_name(records[1], "json")
        == f"Spring-{str(records[1].training_file_id)[:8]}-v1.json"
    )
    assert second.training_file_id == records[1].training_file_id
    with pytest.raises(NotFound, match="no training file “Spring”"):
        verify_version(engine, training_files, "Spring")


def test_a_name_is_changed_in_its_case_and_not_to_that_of_another_file(engine, library):
    for name in ("Spring", "Summer"):
        carry_out(request(name, [library.add()], new=True))
    assert rename(engine, command("Spring"), "SPRING") == "SPRING"
    with pytest.raises(Blocked, match="A training file “summer” exists already") as blocked:
        rename(engine, command("SPRING"), "summer")
    assert codes(blocked) == ["name-taken"]
    assert names(engine) == ["SPRING", "Summer"]
    assert actions("spring") == [("create", "done"), ("rename", "done"), ("rename", "refused")]


def test_the_name_that_a_file_has_already_is_no_change(engine, library):
    carry_out(request("Spring", [library.add()], new=True))
    rename(engine, command("Spring"), "Spring")
    unarchive(engine, command("Spring"))
    assert actions("Spring") == [("create", "done")]


@pytest.mark.parametrize(
    "name", ["", "  ", "a/b", "..\\b", "a\0b", "a\nb", "\u202egnirpS", "\ud800", "x" * 121]
)
def test_a_malformed_name_is_refused(engine, library, name):
    carry_out(request("Spring", [library.add()], new=True))
    with pytest.raises(Blocked) as blocked:
        rename(engine, command("Spring"), name)
    assert codes(blocked) == ["bad-name"]
    assert names(engine) == ["Spring"]


def test_the_longest_name_can_be_given_and_deleted(engine, library):
    carry_out(request("Spring", [library.add()], new=True))
    longest = "ש" * MAX_NAME_LENGTH
    rename(engine, command("Spring"), longest)
    archive_and_delete(longest)
    assert names(engine) == []


@pytest.mark.parametrize("name", ["\0", "\ud800", "x" * 100_000, "", "🏮"])
@pytest.mark.parametrize("change", [archive, unarchive])
def test_a_file_that_cannot_be_there_is_not_found(engine, name, change):
    with pytest.raises(NotFound, match="There is no training file"):
        change(engine, command(name))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"comment": "x" * 501}, "bad-comment"),
        ({"comment": "a\0"}, "bad-comment"),
        ({"requested_by": "\ud800"}, "bad-asker"),
        ({"requested_by": "x" * 201}, "bad-asker"),
        ({"request_id": "no id"}, "bad-request-id"),
    ],
)
def test_a_malformed_command_is_refused(engine, library, changes, code):
    carry_out(request("Spring", [library.add()], new=True))
    with pytest.raises(Blocked) as blocked:
        archive(engine, command("Spring", **changes))
    assert codes(blocked) == [code]
    assert actions("Spring") == [("create", "done"), ("archive", "refused")]


def test_an_archived_file_takes_nothing_until_it_is_active_again(engine, library):
    carry_out(request("Spring", [library.add()], new=True))
    assert archive(engine, command("spring")) == "Spring"
    with pytest.raises(Blocked, match="is archived; nothing can be added"):
        carry_out(request("Spring", [library.add()]))
    with pytest.raises(Blocked, match="is archived; it cannot be rebuilt"):
        make_plan(engine, rebuild_of("Spring"))
    unarchive(engine, command("Spring"))
    assert carry_out(request("Spring", [library.add()])).number == 2


def test_only_an_archived_file_is_deleted_and_only_under_its_own_name(engine, library):
    carry_out(request("Spring", [library.add()], new=True))
    with pytest.raises(Blocked, match="only an archived training file") as blocked:
        delete(engine, command("Spring"), confirmation="Spring")
    assert codes(blocked) == ["file-not-archived"]
    archive(engine, command("Spring"))
    for wrong in ("", "spring", "Summer", "\0"):
        with pytest.raises(Blocked, match="The confirmation is not") as blocked:
            delete(engine, command("Spring"), confirmation=wrong)
        assert codes(blocked) == ["not-confirmed"]
    assert names(engine) == ["Spring"]
    delete(engine, command("Spring"), confirmation="Spring")
    assert names(engine) == []


def test_a_deleted_file_is_nowhere_but_in_the_log_and_its_name_is_free(
    engine, library, training_files
):
    asked = request("Spring", [id := library.add()], new=True)
    first = carry_out(asked)
    archive_and_delete("Spring")
    with reading(engine) as connection:
        assert training_file_rows(connection) == training_file_rows(connection, "Spring") == []
        assert conversation_rows(connection, [id])[0].training_files == ()
        with pytest.raises(NotFound):
            find_version(connection, "Spring", 1)
    for reader in (
        lambda: verify_version(engine, training_files, "Spring", 1),
        lambda: make_plan(engine, rebuild_of("Spring")),
        lambda: archive(engine, command("Spring")),
        lambda: delete(engine, command("Spring"), confirmation="Spring"),
    ):
        with pytest.raises(NotFound, match="There is no training file “Spring”"):
            reader()
    with pytest.raises(NotFound, match="made version 1 of “Spring”, which was deleted on"):
        carry_out(asked)
    second = carry_out(request("spring", [id], new=True))
    assert second.training_file_id != first.training_file_id
    archive_and_delete("spring")
    assert actions(str(first.training_file_id))[:3] == [
        ("create", "done"), ("archive", "done"), ("delete", "done"),
    ]  # fmt: skip
    # What was refused to the free name belongs to whoever has it; what was done does not.
    assert [it for it in actions("Spring") if it[1] == "done"] == [
        ("create", "done"), ("archive", "done"), ("delete", "done"),
    ]  # fmt: skip


def test_the_objects_of_a_deleted_file_outlast_the_grace_time_and_go_then(
    engine, library, training_files
):
    emptied_bucket()
    kept = carry_out(request("Kept", [library.add()], new=True))
    gone = carry_out(request("Spring", [library.add()], new=True))
    archive_and_delete("Spring")
    for grace in (timedelta(days=7), timedelta(hours=1)):
        swept = sweep_store(engine, training_files, safe_age=NO_TIME, grace=grace, delete=True)
        assert swept.objects == ()
    assert content_of(gone)
    listed = sweep_store(engine, training_files, safe_age=NO_TIME, grace=NO_TIME, delete=False)
    assert set(listed.objects) == {gone.full.key, gone.lines.key}
    assert content_of(gone)
    sweep_store(engine, training_files, safe_age=NO_TIME, grace=NO_TIME, delete=True)
    assert {gone.full.key, gone.lines.key}.isdisjoint(it.key for it in training_files.listed())
    assert content_of(kept)


def begun_add(engine, library: Library, asked):
    """Gate and read, as a request does before it commits."""
    with reading(engine) as connection:
        admission = decide(connection, asked)
    fragments, _ = read_fragments(
        library.store, admission.conversations, limits=Limits(), strictness="nothing"
    )
    return admission.training_file_id, fragments


def test_an_add_under_way_never_reaches_another_file_that_took_the_name(
    engine, library, training_files
):
    for name in ("A", "C"):
        carry_out(request(name, [library.add()], new=True))
    asked = request("A", [library.add()])
    id, fragments = begun_add(engine, library, asked)
    rename(engine, command("A"), "B")
    with pytest.raises(NotFound, match=r"“A” was renamed to “B” while .* Nothing was written"):
        make_version(engine, training_files, asked, fragments, training_file_id=id)
    rename(engine, command("C"), "A")
    with pytest.raises(NotFound, match="“A” was renamed to “B”"):
        make_version(engine, training_files, asked, fragments, training_file_id=id)
    archive_and_delete("B")
    with pytest.raises(NotFound, match="“A” was deleted while"):
        make_version(engine, training_files, asked, fragments, training_file_id=id)
    with reading(engine) as connection:
        assert find_version(connection, "A").number == 1


def test_a_rebuild_under_way_never_reaches_another_file_that_took_the_name(
    engine, library: Library, training_files
):
    id = library.add()
    for name in ("A", "C"):
        carry_out(request(name, [id], new=True))
    asked = rebuild_of("A", whole=True)
    plan = make_plan(engine, asked)
    assert isinstance(plan, RebuildPlan)
    chunk = list(zip(plan.members, plan.sources, strict=True))
    compared = compare_members(
        library.store, training_files, plan.version, chunk, request=asked, limits=Limits()
    )
    rename(engine, command("A"), "B")
    rename(engine, command("C"), "A")
    with pytest.raises(NotFound, match="“A” was renamed to “B”"):
        replace_changed(engine, training_files, asked, [compared])
    for name in ("A", "B"):
        with reading(engine) as connection:
            assert find_version(connection, name).number == 1


def test_a_rename_between_proposal_and_commit_leaves_the_file_as_it_is(
    engine, library, training_files, monkeypatch
):
    carry_out(request("A", [library.add()], new=True))
    compose = type(training_files).compose
    renamed = []

    def compose_and_rename(store, key, segments, *, content_type):
        if not renamed:
            renamed.append(rename(engine, command("A"), "B"))
        return compose(store, key, segments, content_type=content_type)

    monkeypatch.setattr(type(training_files), "compose", compose_and_rename)
    with pytest.raises(NotFound, match="“A” was renamed to “B”"):
        carry_out(request("A", [library.add()]))
    assert actions("B") == [("create", "done"), ("rename", "done")]
    assert names(engine) == ["B"]


def test_adds_race_with_renames(engine, library):
    """Every add ends as a version of the one file, or in words; the name never makes a second."""
    first = carry_out(request("A 0", [library.add()], new=True))
    ids = library.add_many(6)

    def add(id):
        with reading(engine) as connection:
            name = training_file_choices(connection)[0].name
        try:
            return carry_out(request(name, [id]))
        except (Blocked, NotFound) as refused:
            return refused

    def rename_to(number):
        return rename(engine, command(names(engine)[0]), f"A {number}")

    with ThreadPoolExecutor(4) as pool:
        adds = [pool.submit(add, id) for id in ids]
        renames = [pool.submit(rename_to, number) for number in range(1, 4)]
        outcomes = [it.result() for it in adds]
        for it in renames:
            assert it.exception() is None or isinstance(it.exception(), NotFound)
    made = [it for it in outcomes if not isinstance(it, Exception)]
    assert {it.training_file_id for it in made} <= {first.training_file_id}
    (name,) = names(engine)
    with reading(engine) as connection:
        records = versions(connection, name)
    assert sorted(it.number for it in records) == list(range(1, len(made) + 2))


def rebuild_of(name: str, **changes) -> RebuildRequest:
    return RebuildRequest(
        training_file=name, requested_by="a test", request_id="rebuild-1", **changes
    )
