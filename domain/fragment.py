"""A fragment: the exact bytes that one conversation contributes to a version."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict

from domain import jsonl
from domain.conversation import Conversation
from domain.digest import sha256
from domain.findings import VersionWarning
from domain.statistics import Statistics
from domain.version import Contribution

OPENING, CLOSING = b"[\n  [\n", b"\n  ]\n]"
"""What stands around a conversation written two levels deep, as it is in the full file."""


class Fragment(BaseModel):
    """What a valid conversation adds to a training file, rendered once."""

    model_config = ConfigDict(frozen=True)

    conversation_id: UUID
    full: bytes
    """Its object in the `conversations` array, indented, without comma and newline around it."""
    lines: bytes
    """Its example lines, each with its newline."""
    line_suffix: str
    statistics: Statistics
    consultant_profile: dict[str, Any]
    warnings: tuple[VersionWarning, ...]

    @property
    def contribution(self) -> Contribution:
        return Contribution(
            conversation_id=self.conversation_id,
            line_suffix=self.line_suffix,
            json_length=len(self.full),
            json_sha256=sha256(self.full),
            jsonl_length=len(self.lines),
            jsonl_sha256=sha256(self.lines),
            statistics=self.statistics,
        )

    def relabelled(self, suffix: str) -> "Fragment":
        """The fragment with line ids that end in `suffix`; needed when 8 digits of ids collide."""
        if suffix == self.line_suffix:
            return self
        lines = jsonl.with_suffix(self.lines, self.line_suffix, suffix)
        return self.model_copy(update={"lines": lines, "line_suffix": suffix})


def render_full(
    conversation_id: UUID,
    conversation: Conversation,
    pairs: Sequence[Mapping[str, Any]],
    *,
    batch_id: UUID | None,
    quality_tier: str,
) -> bytes:
    """The conversation's object in the full file. `pairs` are the parsed values, unchanged."""
    value = {
        "conversation_metadata": _metadata(
            conversation_id, conversation, batch_id=batch_id, quality_tier=quality_tier
        ),
        "training_pairs": pairs,
    }
    text = orjson.dumps([[value]], option=orjson.OPT_INDENT_2)
    return text[len(OPENING) : -len(CLOSING)]


def _metadata(
    conversation_id: UUID, conversation: Conversation, *, batch_id: UUID | None, quality_tier: str
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
