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
    sha256: str


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
    json_sha256: str
    json_content_start: int
    json_content_end: int
    jsonl_key: str
    jsonl_size_bytes: int
    jsonl_sha256: str
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
            return StoredObject(self.json_key, self.json_size_bytes, self.json_sha256)
        return StoredObject(self.jsonl_key, self.jsonl_size_bytes, self.jsonl_sha256)


class Member(BaseModel):
    """A conversation in a version: what it contributed, in order of `position`."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    conversation_id: UUID
    position: int
    added_in: int
    line_suffix: str
    json_length: int
    json_sha256: str
    jsonl_length: int
    jsonl_sha256: str
