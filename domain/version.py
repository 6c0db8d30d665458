"""What is recorded of a version and of the conversations in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.findings import VersionWarning
from domain.naming import Format
from domain.statistics import Statistics


@dataclass(frozen=True, slots=True)
class StoredObject:
    key: str
    size_bytes: int
    digest: str
    """Over the fragments in it (`domain.digest`)."""


class VersionRecord(BaseModel):
    """A committed version, with the training file's name and creation."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    training_file_id: UUID
    training_file: str
    training_file_created_at: datetime
    number: int
    request_id: str
    request_digest: str
    reason: str
    created_at: datetime
    created_by: str
    json_key: str
    json_size_bytes: int
    json_digest: str
    json_content_start: int
    json_content_end: int
    jsonl_key: str
    jsonl_size_bytes: int
    jsonl_digest: str
    jsonl_content_start: int
    conversation_count: int
    pair_count: int
    example_count: int
    statistics: Statistics
    warnings: tuple[VersionWarning, ...]
    consultant_profile: dict[str, Any]

    def stored(self, format: Format) -> StoredObject:
        """The version's object in this format."""
        if format == "json":
            return StoredObject(self.json_key, self.json_size_bytes, self.json_digest)
        return StoredObject(self.jsonl_key, self.jsonl_size_bytes, self.jsonl_digest)


class Contribution(BaseModel):
    """What a conversation contributes to a version, without the bytes themselves."""

    model_config = ConfigDict(frozen=True)

    conversation_id: UUID
    line_suffix: str
    json_length: int
    json_sha256: str
    jsonl_length: int
    jsonl_sha256: str
    statistics: Statistics

    def same_bytes(self, other: "Contribution") -> bool:
        return (self.json_sha256, self.jsonl_sha256) == (other.json_sha256, other.jsonl_sha256)


class Member(Contribution):
    """A conversation in a version, at its place in the order."""

    position: int
    added_in: int
