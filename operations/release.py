"""Release the versions that training files' retention policies do not keep."""

from collections.abc import Iterator
from datetime import timedelta

from pydantic import Field
from sqlalchemy import Connection, Engine

from db.engine import current_time, reading, writing
from db.file_life import FileState, hold_file, names_with_policy, record_release, stored_versions
from db.file_log import record
from db.tags import tagged_versions
from domain.errors import NotFound
from domain.frozen import FrozenModel
from domain.versions.log import LogEntry
from domain.versions.retention import StoredVersion, releasable

ACTOR = "maintain"


class Released(FrozenModel):
    """A version that its file's policy does not keep."""

    training_file: str
    version: int
    size_bytes: int
    reason: str
    keys: tuple[str, str] = Field(exclude=True)


def release_versions(engine: Engine, *, safe_age: timedelta, delete: bool) -> tuple[Released, ...]:
    """List the versions that no policy keeps, and record their release if asked to.

    Their objects are garbage then, which the same maintenance removes, or the next one.
    """
    with reading(engine) as connection:
        names = names_with_policy(connection)
    return tuple(
        released
        for name in names
        for released in _of_file(engine, name, safe_age=safe_age, delete=delete)
    )


def _of_file(
    engine: Engine, name: str, *, safe_age: timedelta, delete: bool
) -> tuple[Released, ...]:
    """Judge one file while its row is held, so that no policy, tag or version changes meanwhile."""
    try:
        with writing(engine) as connection:
            file = hold_file(connection, name)
            reason = f"The policy keeps {file.policy}."
            chosen = list(_chosen(connection, file, safe_age=safe_age))
            for version in chosen if delete else ():
                _release(connection, file, version, reason)
    except NotFound:
        # Renamed or deleted since the names were listed: the next maintenance sees to it.
        return ()
    return tuple(
        Released(
            training_file=file.name,
            version=version.number,
            size_bytes=version.size_bytes,
            reason=reason,
            keys=version.keys,
        )
        for version in chosen
    )


def _chosen(
    connection: Connection, file: FileState, *, safe_age: timedelta
) -> Iterator[StoredVersion]:
    tagged = tagged_versions(connection, file.id)
    return releasable(
        file.policy,
        stored_versions(connection, file),
        tagged=frozenset(tagged),
        protected=frozenset(number for number, is_protected in tagged.items() if is_protected),
        now=current_time(connection),
        safe_age=safe_age,
    )


def _release(connection: Connection, file: FileState, version: StoredVersion, reason: str) -> None:
    record_release(connection, file, version.number, now=current_time(connection), reason=reason)
    entry = LogEntry(
        training_file_id=file.id,
        file_name=file.name,
        action="release",
        outcome="done",
        actor=ACTOR,
        comment=reason,
        version=version.number,
    )
    record(connection, entry)
