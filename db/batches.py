"""Batches: find one, list them, read the conversations of one."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

from domain.errors import NotFound


class Batch(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str | None


def list_batches(connection: Connection, *, limit: int) -> list[Batch]:
    """Return the first batches by name."""
    query = text("SELECT id, name FROM batch_jobs ORDER BY name, id LIMIT :limit")
    rows = connection.execute(query, {"limit": limit}).mappings()
    return [Batch.model_validate(row) for row in rows]


def find_batch(connection: Connection, id_or_name: str) -> Batch:
    """Return the batch with this id, or the only one with this name; raise NotFound otherwise."""
    query = text(
        "SELECT id, name FROM batch_jobs WHERE id::text = lower(:given) OR name = :given LIMIT 2"
    )
    rows = connection.execute(query, {"given": id_or_name}).mappings().all()
    if len(rows) == 1:
        return Batch.model_validate(rows[0])
    if rows:
        raise NotFound(f"Several batches are named “{id_or_name}”; give the Batch ID.")
    raise NotFound(
        f"There is no batch “{id_or_name}”. `trainfold conversations --sort batch` shows them."
    )


def conversation_ids_of(connection: Connection, batch: Batch) -> Sequence[UUID]:
    """Return the ids of a batch's conversations, in the order in which they joined it."""
    # to_jsonb: an application's own batch_items may have no created_at.
    query = text("""
        SELECT i.conversation_id
        FROM batch_items i LEFT JOIN conversations c USING (conversation_id)
        WHERE i.batch_job_id = :batch AND i.conversation_id IS NOT NULL
        ORDER BY to_jsonb(i) ->> 'created_at', c.created_at, i.conversation_id
    """)
    return connection.execute(query, {"batch": batch.id}).scalars().all()
