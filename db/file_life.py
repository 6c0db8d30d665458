"""Training files as commands change them: each holds the file's row, then changes it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from db.schema import ReleasedVersionTable, TrainingFileTable, VersionTable
from db.versions import no_training_file
from domain.frozen import FrozenModel
from domain.versions.naming import can_be_stored, name_key
from domain.versions.retention import KeepPolicy, StoredVersion


class FileState(FrozenModel):
    """A training file that a transaction holds."""

    id: UUID
    name: str
    status: str
    policy: KeepPolicy
    refuses_damage: bool


def hold_file(connection: Connection, name: str) -> FileState:
    """Lock a training file until the transaction ends; raise NotFound where there is none."""
    return _file(connection, name, held=True)


def find_policy(connection: Connection, name: str) -> tuple[str, KeepPolicy]:
    """Return a training file's name and policy; raise NotFound where there is none."""
    file = _file(connection, name, held=False)
    return file.name, file.policy


def find_refuses_damage(connection: Connection, name: str) -> tuple[str, bool]:
    """Return a training file's name and whether it refuses damaged text; raise NotFound."""
    file = _file(connection, name, held=False)
    return file.name, file.refuses_damage


def _file(connection: Connection, name: str, *, held: bool) -> FileState:
    if not can_be_stored(name):
        raise no_training_file(connection, name)
    file = TrainingFileTable
    query = select(file.__table__).where(file.name_key == name_key(name), file.deleted_at.is_(None))
    if held:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise no_training_file(connection, name)
    policy = KeepPolicy(last=row["keep_last"], days=row["keep_days"], tagged=row["keep_tagged"])
    return FileState.model_validate({**row, "policy": policy})


def rename_file(connection: Connection, file: FileState, name: str) -> None:
    _change(connection, file, name=name, name_key=name_key(name))


def set_status(connection: Connection, file: FileState, status: str) -> None:
    """Set the status; a deleted file's name is free, and its objects go after the grace time."""
    deleted_at = func.clock_timestamp() if status == "deleted" else None
    _change(connection, file, status=status, deleted_at=deleted_at)


def set_policy(connection: Connection, file: FileState, policy: KeepPolicy) -> None:
    _change(
        connection,
        file,
        keep_last=policy.last,
        keep_days=policy.days,
        keep_tagged=policy.tagged,
    )


def set_refuses_damage(connection: Connection, file: FileState, *, refused: bool) -> None:
    _change(connection, file, refuses_damage=refused)


def names_with_policy(connection: Connection) -> list[str]:
    """List the training files that do not keep all versions."""
    file = TrainingFileTable
    is_limited = file.keep_last.is_not(None) | file.keep_days.is_not(None) | file.keep_tagged
    query = select(file.name).where(is_limited, file.deleted_at.is_(None)).order_by(file.name_key)
    return list(connection.execute(query).scalars())


def stored_versions(connection: Connection, file: FileState) -> list[StoredVersion]:
    """List the versions that are not released, newest first."""
    version, released = VersionTable, ReleasedVersionTable
    superseded_at = func.lead(version.created_at).over(order_by=version.number)
    every = (
        select(version.__table__, superseded_at.label("superseded_at"))
        .where(version.training_file_id == file.id)
        .subquery()
    )
    of_file = select(released.number).where(released.training_file_id == file.id)
    query = select(every).where(every.c.number.not_in(of_file)).order_by(every.c.number.desc())
    return [
        StoredVersion(
            number=row["number"],
            created_at=row["created_at"],
            superseded_at=row["superseded_at"],
            size_bytes=row["json_size_bytes"] + row["jsonl_size_bytes"],
            keys=(row["json_key"], row["jsonl_key"]),
        )
        for row in connection.execute(query).mappings()
    ]


def record_release(
    connection: Connection, file: FileState, number: int, *, now: datetime, reason: str
) -> None:
    row = {"training_file_id": file.id, "number": number, "released_at": now, "reason": reason}
    connection.execute(insert(ReleasedVersionTable), [row])


def whereabouts(connection: Connection, id: UUID) -> tuple[str, datetime | None]:
    """Return the name that a training file has now, and when it was deleted."""
    query = select(TrainingFileTable.name, TrainingFileTable.deleted_at)
    row = connection.execute(query.where(TrainingFileTable.id == id)).one()
    return row.name, row.deleted_at


def _change(connection: Connection, file: FileState, **values: Any) -> None:
    of_file = TrainingFileTable.id == file.id
    connection.execute(update(TrainingFileTable).where(of_file).values(**values))
