"""Training files as lists and pages show them, with the numbers of their current versions."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from db.schemas import statement
from domain.statistics import VersionStatistics
from domain.versions.naming import can_be_stored, name_key
from domain.versions.record import VersionRecord

_MATCHES = "f.deleted_at IS NULL AND position(:text IN f.name_key) > 0"


class TrainingFileChoice(BaseModel):
    """A training file in a list to choose from."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    status: str
    updated_at: datetime
    conversation_count: int
    pair_count: int


class TrainingFileRow(TrainingFileChoice):
    """A training file with all numbers of its current version."""

    description: str
    refuses_damage: bool
    """Of conversations that are added: an error where it is a warning otherwise."""
    current_version: int
    created_at: datetime
    created_by: str
    example_count: int
    json_size_bytes: int
    jsonl_size_bytes: int
    stored_size_bytes: int
    """Of all versions that are stored, JSON and JSONL together."""
    statistics: VersionStatistics


class MemberRow(BaseModel):
    """A conversation at its position in a training file, with what it contributes."""

    model_config = ConfigDict(frozen=True)

    conversation_id: UUID
    position: int
    added_in: int
    pair_count: int
    example_count: int
    quality_mean: Decimal
    quality_tier: str
    persona_key: str
    emotional_arc_key: str
    training_topic_key: str
    topic_name: str | None
    persona_name: str | None


def training_file_choices(
    connection: Connection,
    *,
    text: str = "",
    is_active: bool = False,
    newest_first: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> list[TrainingFileChoice]:
    """Return files but deleted ones whose name contains a text, by name or the newest first.

    Without their statistics, which take long to parse.
    """
    query = f"""
        SELECT f.id, f.name, f.status, f.updated_at, v.conversation_count, v.pair_count
        FROM $training_files f JOIN $training_file_versions v
          ON v.training_file_id = f.id AND v.number = f.current_version
        WHERE {_MATCHES} AND (f.status = 'active' OR NOT :is_active)
        ORDER BY {"f.updated_at DESC," if newest_first else ""} f.name_key
        LIMIT :limit OFFSET :offset
    """  # noqa: S608 - no value is in the text
    values = {"is_active": is_active, "limit": limit, "offset": offset, **_matching(text)}
    rows = connection.execute(statement(connection, query), values).mappings()
    return [TrainingFileChoice.model_validate(row) for row in rows]


def count_training_files(connection: Connection, *, text: str = "", is_active: bool = False) -> int:
    """Count files but deleted ones whose name contains a text."""
    query = f"""
        SELECT count(*) FROM $training_files f
        WHERE {_MATCHES} AND (f.status = 'active' OR NOT :is_active)
    """  # noqa: S608 - no value is in the text
    values = {"is_active": is_active, **_matching(text)}
    count: int = connection.execute(statement(connection, query), values).scalar_one()
    return count


def name_of_training_file(connection: Connection, id: UUID) -> str | None:
    """Return the name of a file that is not deleted."""
    query = "SELECT name FROM $training_files WHERE id = :id AND deleted_at IS NULL"
    name: str | None = connection.execute(statement(connection, query), {"id": id}).scalar()
    return name


def training_file_rows(
    connection: Connection,
    name: str | None = None,
    *,
    text: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[TrainingFileRow]:
    """Return training files by name but deleted ones: those whose name contains a text, or one."""
    # Files are chosen before their versions are joined: only those of the page are read.
    query = f"""
        SELECT f.id, f.name, f.description, f.status, f.refuses_damage, f.current_version,
               f.created_at, f.created_by, f.updated_at, v.conversation_count, v.pair_count,
               v.example_count,
               v.json_size_bytes, v.jsonl_size_bytes, v.statistics,
               (SELECT sum(s.json_size_bytes + s.jsonl_size_bytes)
                FROM $training_file_versions s LEFT JOIN $released_versions r
                  ON r.training_file_id = s.training_file_id AND r.number = s.number
                WHERE s.training_file_id = f.id AND r.number IS NULL) AS stored_size_bytes
        FROM (SELECT * FROM $training_files f
              WHERE {_MATCHES} AND (CAST(:key AS text) IS NULL OR f.name_key = :key)
              ORDER BY f.name_key LIMIT :limit OFFSET :offset) AS f
        JOIN $training_file_versions v
          ON v.training_file_id = f.id AND v.number = f.current_version
        ORDER BY f.name_key
    """  # noqa: S608 - no value is in the text
    if name is not None and not can_be_stored(name):
        return []
    key = None if name is None else name_key(name)
    values = {"key": key, "limit": limit, "offset": offset, **_matching(text)}
    rows = connection.execute(statement(connection, query), values).mappings()
    return [TrainingFileRow.model_validate(row) for row in rows]


def _matching(text: str) -> dict[str, str]:
    # PostgreSQL takes neither NUL nor halves of characters; no name has them.
    return {"text": name_key("".join(c for c in text if can_be_stored(c)))}


def members_page(
    connection: Connection, version: VersionRecord, *, limit: int, offset: int
) -> list[MemberRow]:
    """Return some conversations of a version, in its order (invariant 6)."""
    query = """
        SELECT m.conversation_id, m.position, m.added_in, m.pair_count, m.example_count,
               m.quality_sum / m.pair_count AS quality_mean, m.quality_tier,
               m.persona_key, m.emotional_arc_key, m.training_topic_key,
               c.topic_name, c.persona_name
        FROM $training_file_conversations m
        LEFT JOIN $conversations c ON c.conversation_id = CAST(m.conversation_id AS $id_type)
        WHERE m.training_file_id = :file AND m.added_in <= :number
          AND (m.removed_in IS NULL OR m.removed_in > :number)
        ORDER BY m.position LIMIT :limit OFFSET :offset
    """
    values = {
        "file": version.training_file_id,
        "number": version.number,
        "limit": limit,
        "offset": offset,
    }
    rows = connection.execute(statement(connection, query), values).mappings()
    return [MemberRow.model_validate(row) for row in rows]
