"""What pages show of conversations and batches."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

from db.catalogue import Batch
from domain.findings import Reason
from domain.versions.eligibility import ConversationFacts, source_reasons


class Held(BaseModel):
    """A training file that holds a conversation."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    since: int
    """The version."""


class Row(BaseModel):
    """A conversation with its batches, earliest first, and the training files that hold it."""

    model_config = ConfigDict(frozen=True)

    conversation_id: UUID
    topic_name: str | None
    persona_name: str | None
    persona_key: str | None
    emotional_arc_key: str | None
    topic_key: str | None
    quality_score: Decimal | None
    tier: str | None
    enrichment_status: str | None
    enriched_file_path: str | None
    created_at: datetime | None
    batches: tuple[Batch, ...]
    held_by: tuple[Held, ...]

    @property
    def title(self) -> str | None:
        """The source table has no title; the topic's and the person's names tell best."""
        return " · ".join(filter(None, (self.topic_name, self.persona_name))) or None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why no training file could take it; empty when one could."""
        return _reasons(self.conversation_id, self.enrichment_status, self.enriched_file_path)


def _reasons(conversation_id: UUID, status: str | None, path: str | None) -> tuple[Reason, ...]:
    facts = ConversationFacts(
        conversation_id=conversation_id,
        enrichment_status=status,
        enriched_file_path=path,
        persona_key=None,
        emotional_arc_key=None,
        topic_key=None,
        batch_id=None,
        member_since=None,
        suffixes_taken=frozenset(),
    )
    return tuple(source_reasons(conversation_id, enrichment_status=status, enriched_file_path=path))


_ROWS = text("""
    SELECT c.conversation_id, c.persona_key, c.emotional_arc_key, c.topic_key, c.quality_score,
           c.tier, c.enrichment_status, c.enriched_file_path, c.created_at,
           c.scaffolding_snapshot #>> '{training_topic,name}' AS topic_name,
           c.scaffolding_snapshot #>> '{persona,name}' AS persona_name,
           batches.batches, files.held_by
    FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS asked (id, place)
    JOIN conversations c ON c.conversation_id = asked.id
    LEFT JOIN LATERAL (
        SELECT coalesce(json_agg(json_build_object('id', i.batch_job_id, 'name', j.name)
                                 ORDER BY to_jsonb(i) ->> 'created_at', i.batch_job_id), '[]')
            AS batches
        FROM batch_items i LEFT JOIN batch_jobs j ON j.id = i.batch_job_id
        WHERE i.conversation_id = c.conversation_id) AS batches ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(json_agg(json_build_object('id', f.id, 'name', f.name,
                                                   'since', m.added_in)
                                 ORDER BY f.name_key), '[]') AS held_by
        FROM training_file_conversations m JOIN training_files f ON f.id = m.training_file_id
        WHERE m.conversation_id = c.conversation_id AND m.removed_in IS NULL) AS files ON true
    ORDER BY asked.place
""")


def rows(connection: Connection, ids: Sequence[UUID]) -> list[Row]:
    """These conversations in this order; those that are gone are left out."""
    found = connection.execute(_ROWS, {"ids": [str(id) for id in ids]}).mappings()
    return [Row.model_validate(row) for row in found]


def addable(connection: Connection, ids: Sequence[UUID]) -> list[UUID]:
    """Those of the conversations that some training file could take, in their order."""
    query = text("""
        SELECT conversation_id, enrichment_status, enriched_file_path
        FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS asked (conversation_id, place)
        JOIN conversations USING (conversation_id) ORDER BY place
    """)
    found = connection.execute(query, {"ids": [str(id) for id in ids]}).all()
    return [row[0] for row in found if not _reasons(*row)]


def batches(connection: Connection, *, limit: int) -> list[Batch]:
    """Batches by name, for a list to choose from."""
    query = text("SELECT id, name FROM batch_jobs ORDER BY name, id LIMIT :limit")
    found: Sequence[Any] = connection.execute(query, {"limit": limit}).mappings().all()
    return [Batch.model_validate(row) for row in found]
