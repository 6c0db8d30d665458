"""Register conversations in source tables of our own, where no application does it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db.batches import Batch
from db.schema import BatchItemTable, BatchJobTable, ConversationTable
from db.schemas import schemas_of, source_tables
from domain.errors import NotReady

BATCH_NAMES_LOCK = 7_203_115_002
"""Any constant of its own (see `db.migrate`)."""


class SourceRow(BaseModel):
    """A row of `conversations`, as import writes it."""

    model_config = ConfigDict(frozen=True)

    conversation_id: UUID
    enriched_file_path: str
    persona_key: str
    emotional_arc_key: str
    topic_key: str
    scaffolding_snapshot: dict[str, Any]
    quality_score: Decimal
    tier: str
    created_by: str
    created_at: datetime


def require_ours(connection: Connection) -> None:
    """Raise NotReady where the source tables in use are an application's."""
    shape = source_tables(connection).shape
    if not shape.is_ours:
        own = schemas_of(connection).own
        raise NotReady(
            f"Conversations are read from {shape.schema}.conversations, which an application "
            "writes and trainfold never does. Nothing was uploaded or registered. Register them "
            f"in the application; or set TRAINFOLD_SOURCE_SCHEMA={own}, everywhere, to use "
            "trainfold's own tables instead."
        )


def enriched_paths(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """Return the enriched file paths of those conversations that are registered already."""
    query = select(ConversationTable.conversation_id, ConversationTable.enriched_file_path)
    rows = connection.execute(query.where(ConversationTable.conversation_id.in_(ids)))
    return {row.conversation_id: row.enriched_file_path for row in rows}


def ensure_batch_named(connection: Connection, name: str) -> Batch:
    """Return the batch with this name; create it if there is none."""
    query = (
        select(BatchJobTable.id)
        .where(BatchJobTable.name == name)
        .order_by(BatchJobTable.id)
        .limit(1)
    )
    batch_id = connection.execute(query).scalar_one_or_none()
    return Batch(id=batch_id, name=name) if batch_id else ensure_batch(connection, uuid4(), name)


def rename_batch(connection: Connection, batch: Batch, name: str) -> bool:
    """Rename the batch, unless another has the name; tell whether it was renamed."""
    # Names are compared and written by one at a time: no constraint keeps them apart.
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": BATCH_NAMES_LOCK})
    taken = select(BatchJobTable.id).where(BatchJobTable.name == name, BatchJobTable.id != batch.id)
    if connection.execute(taken.limit(1)).first():
        return False
    connection.execute(update(BatchJobTable).where(BatchJobTable.id == batch.id).values(name=name))
    return True


def unlink(connection: Connection, batch: Batch, ids: Sequence[UUID]) -> Sequence[UUID]:
    """Remove conversations from a batch; return those that were in it."""
    items = delete(BatchItemTable).where(
        BatchItemTable.batch_job_id == batch.id, BatchItemTable.conversation_id.in_(ids)
    )
    return connection.execute(items.returning(BatchItemTable.conversation_id)).scalars().all()


def ensure_batch(connection: Connection, batch_id: UUID, name: str | None = None) -> Batch:
    """Return the batch with this id; create it if there is none."""
    row = {"id": batch_id, "name": name}
    connection.execute(insert(BatchJobTable).values(row).on_conflict_do_nothing())
    return Batch(id=batch_id, name=name)


def register(connection: Connection, rows: Sequence[SourceRow]) -> None:
    """Insert conversations as completed; update the rows that exist."""
    values = [row.model_dump() | {"enrichment_status": "completed"} for row in rows]
    statement = insert(ConversationTable)
    changed = {
        column: statement.excluded[column]
        for column in SourceRow.model_fields
        if column not in ("conversation_id", "created_at", "created_by")
    } | {"enrichment_status": "completed"}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["conversation_id"], set_=changed), values
    )


def link(connection: Connection, batch: Batch, ids: Sequence[UUID]) -> None:
    """Add conversations to a batch, in order; those that it has keep their places."""
    linked = select(BatchItemTable.conversation_id).where(BatchItemTable.batch_job_id == batch.id)
    present = set(connection.execute(linked).scalars())
    new = [{"batch_job_id": batch.id, "conversation_id": id} for id in ids if id not in present]
    if new:
        connection.execute(insert(BatchItemTable), new)
