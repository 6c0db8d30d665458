"""What no retry can change ends a request in words within seconds, and leaves no object."""

import time

import pytest
from sqlalchemy import text

from domain.errors import Blocked, DatabaseRefused
from domain.source.limits import Limits
from domain.versions.requests import RebuildRequest
from operations import resources
from operations.rebuild import RebuildPlan, compare_members, make_plan, replace_changed
from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.conftest import Library, emptied_bucket

REBUILD = RebuildRequest(training_file="A", requested_by="a test", request_id="rebuild-1")


def run(engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


@pytest.fixture
def constraint(engine):
    """A CHECK on our table that is none of ours: no third version."""
    table = "ALTER TABLE training_file_versions"
    run(engine, f"{table} ADD CONSTRAINT app_only_two CHECK (number < 3)")
    yield "app_only_two"
    run(engine, f"{table} DROP CONSTRAINT app_only_two")


@pytest.fixture
def changed(engine, library: Library, training_files):
    """A file of two versions, one of whose sources has changed; nothing else is in the bucket."""
    emptied_bucket()
    one, two = library.add_many(2)
    carry_out(request("A", [one], new=True))
    carry_out(request("A", [two]))
    library.store.put(
        f"tests/{one}.json", as_bytes(conversation(one, turns=6)), content_type="application/json"
    )


def keys(training_files) -> set[str]:
    return {item.key for item in training_files.listed()}


def compared(engine, training_files):
    plan = make_plan(engine, REBUILD)
    assert isinstance(plan, RebuildPlan)
    return compare_members(
        resources.conversations_store(),
        training_files,
        plan.version,
        list(zip(plan.members, plan.sources, strict=True)),
        request=REBUILD,
        limits=Limits(),
    )


def test_an_add_against_a_foreign_check_ends_at_once(
    engine, library: Library, training_files, changed, constraint
):
    before, begun = keys(training_files), time.monotonic()
    with pytest.raises(DatabaseRefused, match=f"Version 3 .* was not recorded.*{constraint}"):
        carry_out(request("A", [library.add()]))
    assert time.monotonic() - begun < 10
    assert keys(training_files) == before


def test_a_rebuild_against_a_foreign_check_ends_at_once(
    engine, training_files, changed, constraint
):
    before, begun = keys(training_files), time.monotonic()
    comparison = compared(engine, training_files)
    with pytest.raises(DatabaseRefused, match=constraint):
        replace_changed(engine, training_files, REBUILD, [comparison])
    assert time.monotonic() - begun < 10
    assert keys(training_files) == before


def test_a_rebuild_of_an_archived_file_is_blocked_before_anything_is_read(
    engine, training_files, changed
):
    run(engine, "UPDATE trainfold.training_files SET status = 'archived'")
    with pytest.raises(Blocked, match="is archived; it cannot be rebuilt"):
        make_plan(engine, REBUILD)


def test_a_rebuild_of_a_file_that_is_archived_meanwhile_ends_in_words(
    engine, training_files, changed
):
    before, begun = keys(training_files), time.monotonic()
    comparison = compared(engine, training_files)
    run(engine, "UPDATE trainfold.training_files SET status = 'archived'")
    with pytest.raises(Blocked, match="is archived"):
        replace_changed(engine, training_files, REBUILD, [comparison])
    assert time.monotonic() - begun < 10
    assert keys(training_files) == before
