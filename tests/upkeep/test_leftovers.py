"""What was computed of conversations goes when no stored version holds them any more."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from domain.errors import Unreachable
from domain.versions.retention import KeepPolicy
from operations import fitness as operation
from operations.archive import archive
from operations.delete import delete
from operations.fitness import fitness
from operations.keep import keep
from operations.splits import assigned_sides, sides_of
from operations.sweep import sweep_store
from storage.store import ObjectStore
from tests.asking import carry_out, request, take_out
from tests.conftest import Library, emptied_bucket
from tests.file_commands import command
from tests.spoken import add_spoken

AT_ONCE = timedelta(minutes=-1)
KINDS = ("figures", "likenesses")


@pytest.fixture(autouse=True)
def empty_bucket(stack):
    emptied_bucket()


def maintain(engine: Engine, store: ObjectStore, *, dry: bool = False, grace: timedelta = AT_ONCE):
    return sweep_store(engine, store, safe_age=AT_ONCE, grace=grace, delete=not dry).figures


def of(engine: Engine, id: UUID) -> tuple[int, ...]:
    """Count what is stored of a conversation, under whatever digest."""
    with engine.connect() as connection:
        return tuple(
            connection.execute(
                text(
                    f"SELECT count(*) FROM trainfold.conversation_{kind} WHERE json_sha256 IN ("
                    "SELECT json_sha256 FROM trainfold.training_file_conversations "
                    "WHERE conversation_id = :id)"
                ),
                {"id": id},
            ).scalar_one()
            for kind in KINDS
        )


def test_figures_of_a_removed_conversation_go_with_the_last_version_that_held_it(
    engine: Engine, library: Library, training_files: ObjectStore
):
    gone, kept = add_spoken(library, 1), add_spoken(library, 2)
    first = carry_out(request("שיחות", [gone, kept], new=True))
    assigned_sides(engine, training_files, first, validation=0.5)
    fitness(engine, training_files, first)
    now = take_out("שיחות", [gone])
    # Version 1 still holds it.
    assert maintain(engine, training_files) == 0
    assert of(engine, gone) == of(engine, kept) == (1, 1)
    keep(engine, command("שיחות"), KeepPolicy(last=1))
    sweep_store(engine, training_files, safe_age=AT_ONCE, delete=False)
    assert of(engine, gone) == (1, 1)
    assert maintain(engine, training_files) == 1
    assert (of(engine, gone), of(engine, kept)) == ((0, 0), (1, 1))
    assert maintain(engine, training_files) == 0
    report = fitness(engine, training_files, now)
    assert report.conversations == 1
    # Whoever returns is on the side where they were.
    again = carry_out(request("שיחות", [gone]))
    assert sides_of(engine, again) == assigned_sides(engine, training_files, first, validation=0.5)


def test_figures_stay_while_another_training_file_holds_the_conversation(
    engine: Engine, library: Library, training_files: ObjectStore
):
    both, one = add_spoken(library, 1), add_spoken(library, 2)
    doomed = carry_out(request("Doomed", [both, one], new=True))
    carry_out(request("Other", [both], new=True))
    assigned_sides(engine, training_files, doomed, validation=0.5)
    fitness(engine, training_files, doomed)
    archive(engine, command("Doomed"))
    delete(engine, command("Doomed"), confirmation="Doomed")
    assert maintain(engine, training_files, grace=timedelta(hours=1)) == 0
    assert maintain(engine, training_files, dry=True) == 1
    assert of(engine, one) == (1, 1)
    assert maintain(engine, training_files) == 1
    assert (of(engine, one), of(engine, both)) == ((0, 0), (1, 1))
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM trainfold.training_file_sides")
        assert connection.execute(query).scalar_one() == 0


def test_figures_of_an_earlier_text_go_once_no_version_holds_it(
    engine: Engine, library: Library, training_files: ObjectStore
):
    id = add_spoken(library, 1)
    version = carry_out(request("Talks", [id], new=True))
    fitness(engine, training_files, version)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE trainfold.conversation_figures SET json_sha256 = repeat('0', 64)")
        )
    assert maintain(engine, training_files) == 1
    assert fitness(engine, training_files, version).conversations == 1


def test_a_report_during_maintenance_says_what_happened(
    engine: Engine, library: Library, training_files: ObjectStore, monkeypatch: pytest.MonkeyPatch
):
    version = carry_out(request("Talks", [add_spoken(library, 1)], new=True))
    store_likenesses = operation.store_likenesses
    for kind in KINDS:

        def removed(*arguments, kind=kind):
            store_likenesses(*arguments)
            with engine.begin() as connection:
                connection.execute(text(f"DELETE FROM trainfold.conversation_{kind}"))

        monkeypatch.setattr(operation, "store_likenesses", removed)
        with pytest.raises(Unreachable, match="Ask again"):
            fitness(engine, training_files, version)
