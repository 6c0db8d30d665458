"""JSON documents of the database's rows; the contract that `domain.documents` is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from db.conversation_list import ConversationRow
from db.training_files import TrainingFileRow
from domain.documents import statistics_document


def conversation_document(row: ConversationRow) -> dict[str, Any]:
    return {
        "conversation_id": str(row.conversation_id),
        "persona_key": row.persona_key,
        "emotional_arc_key": row.emotional_arc_key,
        "topic_key": row.topic_key,
        "quality_score": None if row.quality_score is None else str(row.quality_score),
        "tier": row.tier,
        "enrichment_status": row.enrichment_status,
        "created_at": row.created_at.isoformat() if row.created_at else None,
        "batch_ids": [str(batch.id) for batch in row.batches],
        "batch_names": [batch.name for batch in row.batches],
        "training_files": [file.name for file in row.training_files],
    }


def training_file_document(row: TrainingFileRow) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude={"statistics"}) | {
        "statistics": statistics_document(row.statistics)
    }


def training_file_members_document(row: TrainingFileRow, ids: Sequence[UUID]) -> dict[str, Any]:
    return training_file_document(row) | {"conversation_ids": list(map(str, ids))}
