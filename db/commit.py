"""Commit a version: one transaction, by compare-and-swap on the current version."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    Engine,
    Uuid,
    any_,
    insert,
    literal,
    update,
)

from db.engine import IDLE_SECONDS, LOCK_SECONDS, current_time, reading, writing
from db.file_log import record
from db.refusals import LockedOut
from db.schema import (
    MembershipTable,
    TrainingFileTable,
    VersionTable,
)
from db.schemas import statement
from domain.errors import CommitConflict, DatabaseRefused, Unreachable
from domain.versions.composing import Composition
from domain.versions.log import LogEntry
from domain.versions.naming import name_key
from domain.versions.record import Member, VersionRecord

MAX_COMMIT_TIME = timedelta(hours=1)
"""From reading the base to the commit. Maintenance leaves objects alone for longer than that."""

RACES = {"uq_training_files_name_key", "uq_training_file_versions_request_id"}
"""The only constraints that two requests can race for: two creates of one name, and one request
that runs twice. The row lock on the training file decides all else.
"""

# Of sessions that have changed a row of the table and not ended their transaction, the oldest.
HOLDER = """
    SELECT activity.pid, coalesce(activity.state, 'state unknown') AS state,
           coalesce(host(activity.client_addr), 'this machine') AS address,
           extract(epoch FROM clock_timestamp() - activity.xact_start) AS seconds
    FROM pg_locks lock JOIN pg_stat_activity activity USING (pid)
    WHERE lock.relation = CAST('$training_files' AS regclass)
      AND lock.mode = 'RowExclusiveLock' AND lock.granted
      AND activity.xact_start IS NOT NULL AND activity.pid <> pg_backend_pid()
    ORDER BY activity.xact_start LIMIT 1
"""

VERSION_COLUMNS = set(VersionTable.__table__.columns.keys()) & set(VersionRecord.model_fields)


@dataclass(frozen=True, slots=True)
class PostgresVersionLog:
    """Where versions are recorded (see `operations.committing.VersionLog`)."""

    engine: Engine

    def current_time(self) -> datetime:
        with reading(self.engine) as connection:
            return current_time(connection)

    def commit(self, composition: Composition) -> None:
        try:
            with writing(self.engine) as connection:
                _refuse_stale(connection, composition.version)
                _move_pointer(connection, composition)
                _record(connection, composition)
        except LockedOut as locked_out:
            raise _locked_out(self.engine, composition.version) from locked_out
        except DatabaseRefused as refused:
            if refused.constraint in RACES:
                raise CommitConflict(_conflict(composition.version)) from refused
            raise _refusal(composition.version, refused) from refused


def _refuse_stale(connection: Connection, version: VersionRecord) -> None:
    """Refuse objects so old that maintenance may soon take them for garbage (invariant 12)."""
    if current_time(connection) - version.created_at > MAX_COMMIT_TIME:
        raise CommitConflict(
            f"Version {version.number} of “{version.training_file}” was not recorded: its objects "
            f"were written more than {MAX_COMMIT_TIME} ago."
        )


def _move_pointer(connection: Connection, composition: Composition) -> None:
    """Make the version current if its base still is (invariant 4)."""
    version = composition.version
    if version.number == 1:
        row = _file_row(version, composition.description)
        connection.execute(insert(TrainingFileTable), [row])
        return
    moved = connection.execute(
        update(TrainingFileTable)
        .where(
            TrainingFileTable.id == version.training_file_id,
            TrainingFileTable.current_version == version.number - 1,
            TrainingFileTable.status == "active",
            # Renamed meanwhile, it is asked for by a name that it no longer has.
            TrainingFileTable.name == version.file_name,
        )
        .values(current_version=version.number, updated_at=version.created_at)
    )
    if moved.rowcount != 1:
        raise CommitConflict(_conflict(version))


def _record(connection: Connection, composition: Composition) -> None:
    version = composition.version
    connection.execute(insert(VersionTable), [_version_row(version)])
    if composition.ended:
        # One array, not a parameter each: a statement takes 65,535 parameters.
        ended = literal(list(composition.ended), ARRAY(Uuid))
        connection.execute(
            update(MembershipTable)
            .where(
                MembershipTable.training_file_id == version.training_file_id,
                MembershipTable.removed_in.is_(None),
                MembershipTable.conversation_id == any_(ended),
            )
            .values(removed_in=version.number)
        )
    if composition.begun:
        rows = [_member_row(version, member) for member in composition.begun]
        connection.execute(insert(MembershipTable), rows)
    record(connection, _log_entry(composition))


def _log_entry(composition: Composition) -> LogEntry:
    version = composition.version
    return LogEntry(
        training_file_id=version.training_file_id,
        file_name=version.file_name,
        action=version.reason,
        outcome="done",
        actor=version.created_by,
        comment=version.comment,
        version=version.number,
        request_id=version.request_id,
        run_id=composition.run_id,
        detail={
            "conversations": version.conversation_count,
            "begun": len(composition.begun),
            "ended": len(composition.ended),
        },
    )


def _conflict(version: VersionRecord) -> str:
    return (
        f"Another request was faster than version {version.number} of "
        f"“{version.training_file}”. Nothing was recorded for this one."
    )


def _locked_out(engine: Engine, version: VersionRecord) -> Unreachable:
    """Say who holds the training file, as far as the database tells."""
    with reading(engine) as connection:
        holder = connection.execute(statement(connection, HOLDER)).first()
    who = (
        f"Another request has held it for {holder.seconds:.0f} s (database session {holder.pid}, "
        f"{holder.state}, from {holder.address})"
        if holder
        else "Another request held it"
    )
    return Unreachable(
        f"“{version.training_file}” could not be changed within {LOCK_SECONDS} s. {who}; the "
        f"database ends a session that stands still for {IDLE_SECONDS} s. Nothing was recorded. "
        "Run the same request again."
    )


def _refusal(version: VersionRecord, refused: DatabaseRefused) -> DatabaseRefused:
    return DatabaseRefused(
        f"Version {version.number} of “{version.training_file}” was not recorded, and nothing was "
        f"changed. {refused} If a constraint or trigger on trainfold's tables is not trainfold's "
        "own, remove it; then run the same request again.",
        refused.constraint,
    )


def _file_row(version: VersionRecord, description: str) -> dict[str, Any]:
    return {
        "id": version.training_file_id,
        "name": version.training_file,
        "name_key": name_key(version.training_file),
        "description": description,
        "consultant_profile": version.consultant_profile,
        "current_version": version.number,
        "created_at": version.training_file_created_at,
        "created_by": version.created_by,
        "updated_at": version.created_at,
    }


def _version_row(version: VersionRecord) -> dict[str, Any]:
    return {
        **version.model_dump(include=VERSION_COLUMNS),
        "statistics": version.statistics.model_dump(mode="json"),
        "json_key": version.full.key,
        "json_size_bytes": version.full.size_bytes,
        "json_digest": version.full.digest,
        "json_content_start": version.full.content_start,
        "json_content_end": version.full.content_end,
        "jsonl_key": version.lines.key,
        "jsonl_size_bytes": version.lines.size_bytes,
        "jsonl_digest": version.lines.digest,
        "jsonl_content_start": version.lines.content_start,
    }


def _member_row(version: VersionRecord, member: Member) -> dict[str, Any]:
    return {
        "training_file_id": version.training_file_id,
        **member.model_dump(exclude={"statistics"}),
        **member.statistics.model_dump(),
    }
