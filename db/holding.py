"""The conversations of a training file's version, a page at a time."""

from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

from domain.versions.record import VersionRecord


class MemberRow(BaseModel):
    """A conversation at its place in a training file, with what it contributes."""

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

    @property
    def title(self) -> str | None:
        return " · ".join(filter(None, (self.topic_name, self.persona_name))) or None


def members_page(
    connection: Connection, version: VersionRecord, *, limit: int, offset: int
) -> list[MemberRow]:
    """Some conversations of a version, in its order (invariant 6)."""
    query = text("""
        SELECT m.conversation_id, m.position, m.added_in, m.pair_count, m.example_count,
               m.quality_sum / m.pair_count AS quality_mean, m.quality_tier,
               m.persona_key, m.emotional_arc_key, m.training_topic_key,
               c.scaffolding_snapshot #>> '{training_topic,name}' AS topic_name,
               c.scaffolding_snapshot #>> '{persona,name}' AS persona_name
        FROM training_file_conversations m
        LEFT JOIN conversations c ON c.conversation_id = m.conversation_id
        WHERE m.training_file_id = :file AND m.added_in <= :number
          AND (m.removed_in IS NULL OR m.removed_in > :number)
        ORDER BY m.position LIMIT :limit OFFSET :offset
    """)
    values = {
        "file": version.training_file_id,
        "number": version.number,
        "limit": limit,
        "offset": offset,
    }
    return [MemberRow.model_validate(row) for row in connection.execute(query, values).mappings()]
