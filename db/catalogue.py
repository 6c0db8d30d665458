"""What listings show: conversations with their batches, training files."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

from domain.errors import NotFound
from domain.statistics import VersionStatistics

Sort = Literal["batch", "created", "quality"]

# Written out, so that no text from outside ever becomes SQL. The batch that sorts is the first.
ORDERS: dict[Sort, str] = {
    "batch": "batches.batch_ids[1] NULLS LAST, c.created_at, c.conversation_id",
    "created": "c.created_at DESC NULLS LAST, c.conversation_id",
    "quality": "c.quality_score DESC NULLS LAST, c.conversation_id",
}


class Batch(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str | None


class ConversationRow(BaseModel):
    """A conversation in a listing, with every batch that it belongs to, earliest first."""

    model_config = ConfigDict(frozen=True)

    conversation_id: UUID
    persona_key: str | None
    emotional_arc_key: str | None
    topic_key: str | None
    quality_score: Decimal | None
    tier: str | None
    enrichment_status: str | None
    created_at: datetime | None
    batch_ids: tuple[UUID, ...]
    batch_names: tuple[str | None, ...]
    training_files: tuple[str, ...]


class TrainingFileChoice(BaseModel):
    """What tells one training file from another in a list to choose from."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    status: str
    updated_at: datetime
    conversation_count: int
    pair_count: int


class TrainingFileRow(TrainingFileChoice):
    """A training file in a listing, with the numbers of its current version."""

    description: str
    current_version: int
    created_at: datetime
    created_by: str
    example_count: int
    json_size_bytes: int
    jsonl_size_bytes: int
    statistics: VersionStatistics


def conversations(
    connection: Connection,
    *,
    batch_id: UUID | None = None,
    status: str | None = None,
    sort: Sort = "created",
    limit: int = 50,
) -> list[ConversationRow]:
    """Conversations of a batch, or of all, in the order asked for."""
    query = text(f"""
        SELECT c.conversation_id, c.persona_key, c.emotional_arc_key, c.topic_key,
               c.quality_score, c.tier, c.enrichment_status, c.created_at,
               batches.batch_ids, batches.batch_names, files.training_files
        FROM conversations c
        LEFT JOIN LATERAL (
            SELECT coalesce(array_agg(i.batch_job_id ORDER BY {_BATCH_ORDER}), '{{}}') AS batch_ids,
                   coalesce(array_agg(j.name ORDER BY {_BATCH_ORDER}), '{{}}') AS batch_names
            FROM batch_items i LEFT JOIN batch_jobs j ON j.id = i.batch_job_id
            WHERE i.conversation_id = c.conversation_id) AS batches ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(array_agg(f.name ORDER BY f.name), '{{}}') AS training_files
            FROM training_file_conversations m JOIN training_files f ON f.id = m.training_file_id
            WHERE m.conversation_id = c.conversation_id AND m.removed_in IS NULL) AS files ON true
        WHERE (CAST(:status AS text) IS NULL OR c.enrichment_status = :status)
          AND (CAST(:batch_id AS uuid) IS NULL OR c.conversation_id IN (
              SELECT i.conversation_id FROM batch_items i WHERE i.batch_job_id = :batch_id))
        ORDER BY {ORDERS[sort]} LIMIT :limit
    """)  # noqa: S608 - only constants of this module are put in
    values = {"status": status, "batch_id": batch_id, "limit": limit}
    rows = connection.execute(query, values).mappings()
    return [ConversationRow.model_validate(row) for row in rows]


_BATCH_ORDER = "to_jsonb(i) ->> 'created_at', i.batch_job_id"


def find_batch(connection: Connection, wanted: str) -> Batch:
    """The batch with this id, or with this name if only one has it; raises NotFound."""
    query = text(
        "SELECT id, name FROM batch_jobs WHERE id::text = lower(:it) OR name = :it LIMIT 2"
    )
    found = connection.execute(query, {"it": wanted}).mappings().all()
    if len(found) == 1:
        return Batch.model_validate(found[0])
    if found:
        raise NotFound(f"Several batches are named “{wanted}”; give the Batch ID.")
    raise NotFound(
        f"There is no batch “{wanted}”. `trainfold conversations --sort batch` shows them."
    )


def conversation_ids_of(connection: Connection, batch: Batch) -> Sequence[UUID]:
    """All conversations of a batch, in the order in which they joined it."""
    query = text("""
        SELECT i.conversation_id
        FROM batch_items i LEFT JOIN conversations c USING (conversation_id)
        WHERE i.batch_job_id = :batch AND i.conversation_id IS NOT NULL
        ORDER BY to_jsonb(i) ->> 'created_at', c.created_at, i.conversation_id
    """)
    return connection.execute(query, {"batch": batch.id}).scalars().all()


def training_file_choices(connection: Connection) -> list[TrainingFileChoice]:
    """All training files by name, without what takes long to read."""
    query = text("""
        SELECT f.id, f.name, f.status, f.updated_at, v.conversation_count, v.pair_count
        FROM training_files f JOIN training_file_versions v
          ON v.training_file_id = f.id AND v.number = f.current_version
        ORDER BY f.name_key
    """)
    rows = connection.execute(query).mappings()
    return [TrainingFileChoice.model_validate(row) for row in rows]


def training_files(connection: Connection, name_key: str | None = None) -> list[TrainingFileRow]:
    """All training files by name, or the one with this key."""
    query = text("""
        SELECT f.id, f.name, f.description, f.status, f.current_version, f.created_at,
               f.created_by, f.updated_at, v.conversation_count, v.pair_count, v.example_count,
               v.json_size_bytes, v.jsonl_size_bytes, v.statistics
        FROM training_files f JOIN training_file_versions v
          ON v.training_file_id = f.id AND v.number = f.current_version
        WHERE CAST(:key AS text) IS NULL OR f.name_key = :key
        ORDER BY f.name_key
    """)
    rows = connection.execute(query, {"key": name_key}).mappings()
    return [TrainingFileRow.model_validate(row) for row in rows]
