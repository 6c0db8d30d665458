"""Batches: find one, list them, read the conversations of one."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from db.schemas import statement
from db.visibility import hidden_rows
from domain.errors import NotFound
from domain.versions.suggesting import MAX_NAMES, did_you_mean


class Batch(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str | None


def list_batches(
    connection: Connection, *, limit: int, offset: int = 0, text: str = ""
) -> list[Batch]:
    """Return some batches, by name: those whose name contains a text or whose id begins with it."""
    query = """
        SELECT id, name FROM $batch_jobs AS job
        WHERE position(lower(:text) IN lower(coalesce(name, ''))) > 0
           OR starts_with(CAST(id AS text), lower(:text))
        ORDER BY name, id LIMIT :limit OFFSET :offset
    """
    values = {"limit": limit, "offset": offset, "text": text.replace("\0", "")}
    rows = connection.execute(statement(connection, query), values).mappings()
    return [Batch.model_validate(row) for row in rows]


def find_batch(connection: Connection, id_or_name: str) -> Batch:
    """Return the batch with this id, or the only one with this name; raise NotFound otherwise."""
    query = """
        SELECT id, name FROM $batch_jobs AS job
        WHERE id::text = lower(:given) OR name = :given LIMIT 2
    """
    values = {"given": id_or_name}
    rows = connection.execute(statement(connection, query), values).mappings().all()
    if len(rows) == 1:
        return Batch.model_validate(rows[0])
    if rows:
        raise NotFound(f"Several batches are named “{id_or_name}”; give the Batch ID.")
    advice = "`trainfold conversations --sort batch` shows them."
    near = did_you_mean(id_or_name, _names(connection))
    raise NotFound(f"There is no batch “{id_or_name}”. {near}{hidden_rows(connection) or advice}")


def _names(connection: Connection) -> list[str]:
    return [batch.name for batch in list_batches(connection, limit=MAX_NAMES) if batch.name]


def conversation_ids_of(connection: Connection, batch: Batch) -> Sequence[UUID]:
    """Return the ids of a batch's conversations, in the order in which they joined it."""
    # An item may name a conversation that is gone: the gate says so.
    query = """
        SELECT CAST(coalesce(c.conversation_id, i.conversation_id) AS uuid)
        FROM $batch_items i LEFT JOIN $conversations c ON c.conversation_key = i.conversation_key
        WHERE i.batch_job_id = CAST(:batch AS $batch_id_type)
          AND coalesce(c.conversation_id, i.conversation_id) IS NOT NULL
        ORDER BY i.position, i.created_at, c.created_at, c.conversation_id
    """
    values = {"batch": str(batch.id)}
    return connection.execute(statement(connection, query), values).scalars().all()
