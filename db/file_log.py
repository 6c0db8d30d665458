"""The log of training files: entries are added, and never changed (a trigger sees to it)."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from db.engine import current_time
from db.schema import LogTable, TrainingFileTable
from domain.versions.log import LogEntry, RecordedEntry
from domain.versions.naming import can_be_stored, name_key


def record(connection: Connection, entry: LogEntry) -> None:
    """Add an entry, in the transaction of the change that it is about."""
    connection.execute(insert(LogTable), [_row(connection, entry)])


def record_refusal(connection: Connection, entry: LogEntry, digest: str) -> None:
    """Add the entry of a refusal unless this request has it; find its training file by name."""
    row = _row(connection, entry) | {
        "training_file_id": connection.execute(
            select(TrainingFileTable.id).where(
                TrainingFileTable.name_key == name_key(entry.file_name),
                TrainingFileTable.deleted_at.is_(None),
            )
        ).scalar_one_or_none(),
        "refusal_digest": digest,
    }
    connection.execute(postgresql_insert(LogTable).values(row).on_conflict_do_nothing())


def entries(
    connection: Connection,
    training_file_id: UUID | None,
    key: str,
    *,
    limit: int,
    before: int | None = None,
) -> list[RecordedEntry]:
    """List what happened to a training file, newest first, with what was refused to its name.

    Without an id, only what was refused to a name that no file has. `before` is the id of the entry
    where the page before this one ended.
    """
    table = LogTable
    of_nobody = and_(table.training_file_id.is_(None), table.name_key == key)
    which = or_(table.training_file_id == training_file_id, of_nobody)
    query = select(table.__table__).where(which if training_file_id else of_nobody)
    if before is not None:
        query = query.where(table.id < max(0, min(before, 2**63 - 1)))
    rows = connection.execute(query.order_by(table.id.desc()).limit(limit)).mappings()
    return [RecordedEntry.model_validate({**row}) for row in rows]


def logged_file(connection: Connection, name: str) -> tuple[UUID, str] | None:
    """Find a training file by its name, else by its last name or its id; return id and name key."""
    if not can_be_stored(name):
        return None
    file = TrainingFileTable
    query = select(file.id, file.name_key)
    of_name = query.where(file.name_key == name_key(name))
    newest = of_name.order_by(file.deleted_at.desc().nulls_first()).limit(1)
    row = connection.execute(newest).one_or_none()
    if row is None and (id := _uuid(name)):
        row = connection.execute(query.where(file.id == id)).one_or_none()
    return None if row is None else (row.id, row.name_key)


def _row(connection: Connection, entry: LogEntry) -> dict[str, Any]:
    values = {"at": current_time(connection), "name_key": name_key(entry.file_name)}
    return entry.model_dump() | values


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
