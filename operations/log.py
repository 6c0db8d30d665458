"""The log of training files: what every request leaves in it, and reading it.

A change writes its entry in its own transaction (`changing`, `db.commit` for versions). Whoever
carries out a request does so within `refusals_recorded`.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from db.engine import reading, writing
from db.file_life import FileState, hold_file
from db.file_log import entries, logged_file, record, record_refusal
from db.versions import no_training_file
from domain.errors import Blocked, NotFound, TrainfoldError
from domain.findings import Reason
from domain.versions.eligibility import refuse_malformed_command
from domain.versions.log import LogEntry, RecordedEntry, refusal
from domain.versions.naming import can_be_stored, name_key
from domain.versions.requests import Asked, FileCommand


@contextmanager
def refusals_recorded(engine: Engine, asked: Asked, action: str) -> Iterator[None]:
    """Record what this block refuses, and raise it; a retry with the same reasons adds nothing."""
    try:
        yield
    except (Blocked, NotFound) as refused:
        note_refusal(engine, asked, action, refused)
        raise


def note_refusal(engine: Engine, asked: Asked, action: str, refused: TrainfoldError) -> None:
    """Record a refusal; where the database is away, the refusal still reaches who asked."""
    entry, digest = refusal(asked, action, refused)
    with suppress(TrainfoldError, SQLAlchemyError), writing(engine) as connection:
        record_refusal(connection, entry, digest)


@contextmanager
def changing(
    engine: Engine, command: FileCommand, action: str
) -> Iterator[tuple[Connection, FileState]]:
    """Hold the training file that a command names; record what it refuses.

    Raises Blocked where the command is malformed, NotFound where there is no such file.
    """
    with refusals_recorded(engine, command, action):
        refuse_malformed_command(command)
        with writing(engine) as connection:
            yield connection, hold_file(connection, command.name)


def note_change(
    connection: Connection,
    file: FileState,
    command: FileCommand,
    action: str,
    *,
    version: int | None = None,
    **detail: Any,
) -> None:
    """Record a change in its own transaction."""
    entry = LogEntry(
        training_file_id=file.id,
        file_name=file.name,
        action=action,
        outcome="done",
        actor=command.requested_by,
        comment=command.comment,
        version=version,
        request_id=command.request_id,
        detail=detail,
    )
    record(connection, entry)


def read_log(
    engine: Engine, name: str, *, limit: int, before: int | None = None
) -> list[RecordedEntry]:
    """List what happened to a training file, newest first; it may be deleted.

    It is found by its name, else by its last name or its id. Raises NotFound where the log knows
    nothing of it.
    """
    with reading(engine) as connection:
        id, key = logged_file(connection, name) or (None, name_key(name))
        if id is None and not can_be_stored(name):
            raise no_training_file(connection, name)
        found = entries(connection, id, key, limit=limit, before=before)
        if id is None and not found and before is None:
            raise no_training_file(connection, name)
    return found


def refused(code: str, text: str) -> Blocked:
    """Return the refusal of a command for one reason."""
    return Blocked([Reason(code=code, reason=text)])
