"""Versions as they are read: found by number or tag, their members, the keys that they need."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.schema import (
    ExportTable,
    MembershipTable,
    ReleasedVersionTable,
    TagTable,
    TrainingFileTable,
    VersionTable,
)
from domain.errors import NotFound
from domain.findings import shortened
from domain.versions.naming import MAX_NAME_LENGTH, can_be_stored, name_key, normal_name
from domain.versions.record import BaseVersion, Member, StoredObject, VersionRecord
from domain.versions.retention import ranges
from domain.versions.suggesting import MAX_NAMES, did_you_mean
from domain.versions.tags import LATEST, as_number, normal_tag, tag_problem

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
        raise no_training_file(connection, name)
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
        raise no_training_file(connection, name)
    shown = shortened(str(version))
    if as_number(str(version)) is None:
        tags = select(TagTable.name).join(
            TrainingFileTable, TrainingFileTable.id == TagTable.training_file_id
        )
        near = did_you_mean(str(version), connection.execute(tags.where(named)).scalars())
        raise NotFound(
            f"“{normal_name(name)}” has no version with the tag “{shown}”. {near}"
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


def no_training_file(connection: Connection, name: str) -> NotFound:
    """Return the error of a name that no training file has, with names that are near."""
    shown = shortened(normal_name(name), MAX_NAME_LENGTH)
    query = select(TrainingFileTable.name).where(TrainingFileTable.deleted_at.is_(None))
    names = connection.execute(query.limit(MAX_NAMES)).scalars()
    near = did_you_mean(shown, names)
    return NotFound(f"There is no training file “{shown}”. {near}`trainfold files` lists them.")


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
