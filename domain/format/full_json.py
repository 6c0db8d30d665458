"""The full JSON: a header, the conversations two levels deep, the closing brackets.

Source: full-training-file-v4 JSON Schema. Indented by two spaces, for people to read.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from domain.format import jsonl
from domain.source.conversation import VERTICAL, Conversation
from domain.statistics import VersionStatistics, quality_summary, scaffolding_distribution

FORMAT_SPEC = "brightrun-lora-v4"
BETWEEN = b",\n"
"""What separates two conversations."""
TAIL = b"\n  ]\n}\n"
OPENING, CLOSING = b"[\n  [\n", b"\n  ]\n]"
"""What orjson writes around a value that is nested two lists deep."""


def header(
    *,
    name: str,
    created: datetime,
    updated: datetime,
    statistics: VersionStatistics,
    consultant_profile: Mapping[str, Any],
) -> bytes:
    """Render everything before the first conversation."""
    head = {
        "training_file_metadata": {
            "file_name": name,
            "version": jsonl.FORMAT_VERSION,
            "created_date": utc_text(created),
            "last_updated": utc_text(updated),
            "format_spec": FORMAT_SPEC,
            "vertical": VERTICAL,
            "total_conversations": statistics.conversations,
            "total_training_pairs": statistics.pairs,
            "quality_summary": quality_summary(statistics),
            "scaffolding_distribution": scaffolding_distribution(statistics),
        },
        "consultant_profile": consultant_profile,
    }
    text = orjson.dumps(head, option=orjson.OPT_INDENT_2)
    return text.removesuffix(b"\n}") + b',\n  "conversations": [\n'


def render_conversation(
    conversation_id: UUID,
    conversation: Conversation,
    pairs: Sequence[Mapping[str, Any]],
    *,
    batch_id: UUID | None,
    quality_tier: str,
) -> bytes:
    """Render a conversation's object, without a comma or newline around it.

    `pairs` are the parsed values of the file, carried unchanged (invariant 8).
    """
    metadata = _metadata(conversation_id, conversation, batch_id, quality_tier)
    value = {"conversation_metadata": metadata, "training_pairs": pairs}
    # Rendered at the depth at which it will be stored, so that it is never rendered again.
    text = orjson.dumps([[value]], option=orjson.OPT_INDENT_2)
    return text[len(OPENING) : -len(CLOSING)]


def utc_text(moment: datetime) -> str:
    """Write a time as ISO 8601 in UTC with milliseconds and Z, as the format's examples do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _metadata(
    conversation_id: UUID, conversation: Conversation, batch_id: UUID | None, quality_tier: str
) -> dict[str, Any]:
    dataset = conversation.dataset_metadata
    scaffolding = conversation.training_pairs[0].conversation_metadata
    return {
        "conversation_id": str(conversation_id),
        "source_file": f"{dataset.dataset_name}.json",
        "created_date": dataset.created_date,
        **({"batch_id": str(batch_id)} if batch_id else {}),
        "total_turns": len(conversation.training_pairs),
        "quality_tier": quality_tier,
        "scaffolding": {
            "persona_key": scaffolding.persona_archetype,
            "persona_name": scaffolding.client_persona,
            "emotional_arc_key": scaffolding.emotional_arc_key,
            "emotional_arc": scaffolding.emotional_arc,
            "training_topic_key": scaffolding.training_topic_key,
            "training_topic": scaffolding.training_topic,
        },
    }
