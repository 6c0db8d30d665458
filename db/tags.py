"""Tags of a training file's versions."""

from uuid import UUID

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from db.engine import current_time
from db.schema import TagTable
from domain.versions.record import Tag


def tagged_versions(connection: Connection, id: UUID) -> dict[int, bool]:
    """Return the versions that have a tag, and whether one of their tags is protected."""
    query = select(TagTable.version, func.bool_or(TagTable.is_protected))
    rows = connection.execute(
        query.where(TagTable.training_file_id == id).group_by(TagTable.version)
    )
    return {row[0]: row[1] for row in rows}


def find_tag(connection: Connection, id: UUID, name: str) -> tuple[int, Tag] | None:
    """Return the version that has the tag, and the tag."""
    query = select(TagTable.version, TagTable.name, TagTable.is_protected)
    named = query.where(TagTable.training_file_id == id, TagTable.name == name)
    row = connection.execute(named).mappings().one_or_none()
    return (row["version"], Tag.model_validate({**row})) if row else None


def put_tag(connection: Connection, id: UUID, version: int, tag: Tag, *, created_by: str) -> None:
    """Give the tag to the version; it leaves the one that had it."""
    values = {
        "version": version,
        "is_protected": tag.is_protected,
        "created_at": current_time(connection),
        "created_by": created_by,
    }
    statement = insert(TagTable).values(training_file_id=id, name=tag.name, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["training_file_id", "name"], set_=values)
    )


def delete_tag(connection: Connection, id: UUID, name: str) -> None:
    connection.execute(
        delete(TagTable).where(TagTable.training_file_id == id, TagTable.name == name)
    )
