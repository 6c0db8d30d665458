"""Versions: committed once by compare-and-swap, then only read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    Uuid,
    and_,
    any_,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.engine import IDLE_SECONDS, LOCK_SECONDS, current_time, reading, writing
from db.file_log import record
from db.refusals import LockedOut
from db.schema import (
    ExportTable,
    MembershipTable,
    ReleasedVersionTable,
    TagTable,
    TrainingFileTable,
    VersionTable,
)
from db.schemas import statement
from domain.errors import CommitConflict, DatabaseRefused, NotFound, Unreachable
from domain.findings import shortened
from domain.versions.composing import Composition
from domain.versions.log import LogEntry
from domain.versions.naming import MAX_NAME_LENGTH, can_be_stored, name_key, normal_name
from domain.versions.record import BaseVersion, Member, StoredObject, VersionRecord
from domain.versions.retention import ranges
from domain.versions.tags import LATEST, as_number, normal_tag, tag_problem

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

_TAG = func.json_build_object("name", TagTable.name, "is_protected", TagTable.is_protected)
_TAGS = select(func.json_agg(aggregate_order_by(_TAG, TagTable.name))).where(
    TagTable.training_file_id == VersionTable.training_file_id,
    TagTable.version == VersionTable.number,
)
_JOINED = (
    select(
        *(column for column in VersionTable.__table__.columns),
        func.coalesce(_TAGS.scalar_subquery(), text("'[]'::json")).label("tags"),
        TrainingFileTable.name.label("training_file"),
        TrainingFileTable.created_at.label("training_file_created_at"),
        TrainingFileTable.consultant_profile,
        TrainingFileTable.deleted_at,
        ReleasedVersionTable.released_at,
    )
    .join(TrainingFileTable, TrainingFileTable.id == VersionTable.training_file_id)
    .outerjoin(
        ReleasedVersionTable,
        and_(
            ReleasedVersionTable.training_file_id == VersionTable.training_file_id,
            ReleasedVersionTable.number == VersionTable.number,
        ),
    )
)


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


def version_of_request(connection: Connection, request_id: str) -> VersionRecord | None:
    """Find the version that was made under this request id; raise NotFound if it was deleted."""
    query = _JOINED.where(VersionTable.request_id == request_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is not None and row["deleted_at"]:
        raise NotFound(
            f"This request made version {row['number']} of “{row['training_file']}”, which was "
            f"deleted on {row['deleted_at']:%Y-%m-%d}. Nothing was changed. Use a new request id "
            "for another training file."
        )
    return None if row is None else version_record(row)


def find_version(
    connection: Connection, name: str, version: str | int | None = None
) -> VersionRecord:
    """Find a version of a training file, by default the current one; raises NotFound.

    The version is a number, a tag, or “latest”, which is the current one.
    """
    if not can_be_stored(name):
        raise no_training_file(name)
    named = and_(
        TrainingFileTable.name_key == name_key(name), TrainingFileTable.deleted_at.is_(None)
    )
    query = _JOINED.where(named, VersionTable.number == _number(version))
    row = connection.execute(query).mappings().one_or_none()
    if row is not None:
        return version_record(row)
    current = connection.execute(
        select(TrainingFileTable.current_version).where(named)
    ).scalar_one_or_none()
    if current is None:
        raise no_training_file(name)
    shown = shortened(str(version))
    if as_number(str(version)) is None:
        raise NotFound(
            f"“{normal_name(name)}” has no version with the tag “{shown}”. "
            "`trainfold versions FILE` lists its versions and tags."
        )
    raise NotFound(f"“{normal_name(name)}” has no version {shown}; it has 1 to {current}.")


def _number(version: str | int | None) -> ColumnElement[Any]:
    """Return what the number of a version is equal to that anyone may have referred to."""
    if version is None or version == LATEST:
        return TrainingFileTable.current_version.expression
    number = as_number(str(version))
    if number is not None:
        return literal(number)
    tag = normal_tag(str(version))
    return (
        select(TagTable.version)
        .where(
            TagTable.training_file_id == TrainingFileTable.id,
            # What can be no tag may be what PostgreSQL cannot hold.
            TagTable.name == ("" if tag_problem(tag) else tag),
        )
        .scalar_subquery()
    )


def find_stored_version(
    connection: Connection, name: str, wanted: str | int | None = None
) -> VersionRecord:
    """Find a version whose objects are in the store; raise NotFound if it was released."""
    version = find_version(connection, name, wanted)
    if version.released_at is not None:
        stored = [it.number for it in versions(connection, name) if it.released_at is None]
        raise NotFound(
            f"Version {version.number} of “{version.training_file}” was released on "
            f"{version.released_at:%Y-%m-%d} by the file's retention policy: its record is kept, "
            f"and its JSON and JSONL are removed. Versions that are still there: {ranges(stored)}."
        )
    return version


def no_training_file(name: str) -> NotFound:
    shown = shortened(normal_name(name), MAX_NAME_LENGTH)
    return NotFound(f"There is no training file “{shown}”. `trainfold files` lists them.")


def versions(
    connection: Connection, name: str, *, limit: int | None = None, offset: int = 0
) -> list[VersionRecord]:
    """List the versions of a training file, newest first; raises NotFound."""
    current = find_version(connection, name)
    query = _JOINED.where(VersionTable.training_file_id == current.training_file_id)
    newest = query.order_by(VersionTable.number.desc()).limit(limit).offset(offset)
    return [version_record(row) for row in connection.execute(newest).mappings()]


def referenced_keys(connection: Connection, *, grace: timedelta) -> set[str]:
    """List the keys of all objects that a version needs, its exports among them.

    A released version needs none, and neither does a training file that was deleted longer ago than
    the grace time.
    """
    is_needed = and_(
        ReleasedVersionTable.released_at.is_(None),
        or_(
            TrainingFileTable.deleted_at.is_(None),
            TrainingFileTable.deleted_at >= func.clock_timestamp() - grace,
        ),
    )
    both = (VersionTable.json_key, VersionTable.jsonl_key)
    of_version = and_(
        ExportTable.training_file_id == VersionTable.training_file_id,
        ExportTable.number == VersionTable.number,
    )
    query = union_all(
        *(_JOINED.with_only_columns(key).where(is_needed) for key in both),
        _JOINED.join(ExportTable, of_version).with_only_columns(ExportTable.key).where(is_needed),
    )
    return set(connection.execute(query).scalars())


def newest_keys(connection: Connection, *, versions: int = 5) -> list[str]:
    """List the keys of the newest versions' objects, of whatever training file there is."""
    query = _JOINED.with_only_columns(VersionTable.json_key, VersionTable.jsonl_key).where(
        ReleasedVersionTable.released_at.is_(None), TrainingFileTable.deleted_at.is_(None)
    )
    rows = connection.execute(query.order_by(VersionTable.created_at.desc()).limit(versions))
    return [key for row in rows for key in row]


def training_file_ids(connection: Connection) -> set[UUID]:
    """List the ids of all training files, of deleted ones, too."""
    return set(connection.execute(select(TrainingFileTable.id)).scalars())


def members(connection: Connection, version: BaseVersion) -> Iterator[Member]:
    """Yield the conversations of a version, in its order (invariant 6)."""
    query = in_version(select(MembershipTable.__table__), version)
    for row in connection.execute(query).mappings():
        yield member_of(row)


def member_of(row: RowMapping) -> Member:
    return Member.model_validate({**row, "statistics": row})


def member_ids(connection: Connection, version: BaseVersion) -> Sequence[UUID]:
    """Return the ids of a version's conversations, in its order (invariant 6)."""
    query = in_version(select(MembershipTable.conversation_id), version)
    return connection.execute(query).scalars().all()


def in_version(query: Select[Any], version: BaseVersion) -> Select[Any]:
    """Restrict a query of memberships to those of a version, in its order (invariant 6)."""
    table = MembershipTable
    return query.where(
        table.training_file_id == version.training_file_id,
        table.added_in <= version.number,
        or_(table.removed_in.is_(None), table.removed_in > version.number),
    ).order_by(table.position)


def base_version(row: RowMapping) -> BaseVersion:
    """Build what the next version follows from, out of a row with the columns of both tables."""
    return BaseVersion.model_validate({**row, **_stored_objects(row)})


def version_record(row: RowMapping) -> VersionRecord:
    return VersionRecord.model_validate({**row, **_stored_objects(row)})


def _stored_objects(row: RowMapping) -> dict[str, StoredObject]:
    """Gather the columns of both objects; nothing follows the content of a JSONL."""
    return {
        "full": StoredObject(
            key=row["json_key"],
            size_bytes=row["json_size_bytes"],
            digest=row["json_digest"],
            content_start=row["json_content_start"],
            content_end=row["json_content_end"],
        ),
        "lines": StoredObject(
            key=row["jsonl_key"],
            size_bytes=row["jsonl_size_bytes"],
            digest=row["jsonl_digest"],
            content_start=row["jsonl_content_start"],
            content_end=row["jsonl_size_bytes"],
        ),
    }


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
