"""A fragment: the exact bytes that one conversation contributes to a version."""

from typing import Any
from uuid import UUID

from domain.findings import VersionWarning
from domain.format import jsonl
from domain.format.digest import sha256
from domain.frozen import FrozenModel
from domain.statistics import ConversationStatistics


class Contribution(FrozenModel):
    """The record of a conversation's bytes in a version, without the bytes themselves."""

    conversation_id: UUID
    line_suffix: str
    json_length: int
    json_sha256: str
    jsonl_length: int
    jsonl_sha256: str
    statistics: ConversationStatistics

    def same_bytes(self, other: "Contribution") -> bool:
        return (self.json_sha256, self.jsonl_sha256) == (other.json_sha256, other.jsonl_sha256)


class Fragment(FrozenModel):
    """The bytes that a valid conversation adds to a training file, rendered once."""

    conversation_id: UUID
    full: bytes
    """Its object in the `conversations` array, indented, without comma and newline around it."""
    lines: bytes
    """Its example lines, each with its newline."""
    line_suffix: str
    statistics: ConversationStatistics
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
        """Return the fragment with line ids that end in `suffix`, for 8 digits that collide."""
        if suffix == self.line_suffix:
            return self
        lines = jsonl.with_suffix(self.lines, self.line_suffix, suffix)
        return self.model_copy(update={"lines": lines, "line_suffix": suffix})
