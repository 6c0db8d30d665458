"""Read the evidence for the judge: rows with plain SQL, and objects as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from domain.errors import ObjectMissing
from domain.versions.naming import name_key
from soak.tokens import JsonObject, tokens
from storage.store import ObjectStore

FILE = text("SELECT id, current_version FROM trainfold.training_files WHERE name_key = :key")
VERSIONS = text("""
    SELECT * FROM trainfold.training_file_versions WHERE training_file_id = :id ORDER BY number
""")
MEMBERS = text("""
    SELECT * FROM trainfold.training_file_conversations WHERE training_file_id = :id
    ORDER BY position, added_in
""")
MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class FileSeen:
    """A training file's rows at one moment."""

    id: UUID
    current_version: int
    versions: tuple[Mapping[str, Any], ...]
    members: tuple[Mapping[str, Any], ...]

    def made_by(self, request_id: str) -> list[int]:
        return [row["number"] for row in self.versions if row["request_id"] == request_id]

    def members_of(self, number: int) -> list[Mapping[str, Any]]:
        """List the membership rows of a version, in its order."""
        return [
            row
            for row in self.members
            if row["added_in"] <= number
            and (row["removed_in"] is None or row["removed_in"] > number)
        ]

    def conversations_of(self, number: int) -> list[UUID]:
        """List the conversations of a version in its order, by the memberships."""
        return [each["conversation_id"] for each in self.members_of(number)]

    @property
    def keys(self) -> list[str]:
        """List the objects that the versions refer to."""
        return [
            version[f"{format}_key"] for version in self.versions for format in ("json", "jsonl")
        ]


def look(engine: Engine, name: str) -> FileSeen | None:
    """Read a training file's rows; return None if there is no such file."""
    with engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        file = connection.execute(FILE, {"key": name_key(name)}).one_or_none()
        if file is None:
            return None
        return FileSeen(
            id=file.id,
            current_version=file.current_version,
            versions=_rows(connection, VERSIONS, file.id),
            members=_rows(connection, MEMBERS, file.id),
        )


def _rows(connection: Connection, query: Any, file_id: UUID) -> tuple[Mapping[str, Any], ...]:
    return tuple(dict(row) for row in connection.execute(query, {"id": file_id}).mappings())


class Unreadable(Exception):
    """An object is missing, differs from its row, or cannot be parsed."""


@dataclass(frozen=True)
class Contents:
    """Both objects of a version, as tokens."""

    metadata: JsonObject
    """`training_file_metadata` of the full JSON."""
    profile: JsonObject
    conversations: tuple[tuple[UUID, JsonObject], ...]
    """Ids and objects, in the order of the full JSON."""
    examples: tuple[JsonObject, ...]
    """The lines of the JSONL after the first."""
    announced: JsonObject
    """The JSONL's first line."""

    @property
    def ids(self) -> list[UUID]:
        return [conversation_id for conversation_id, _ in self.conversations]


def read(store: ObjectStore, version: Mapping[str, Any]) -> Contents:
    """Read the version's objects; raises Unreadable."""
    full_bytes = _object(store, version, "json")
    lines = _object(store, version, "jsonl")
    try:
        full = tokens(full_bytes)
        meta, *examples = map(tokens, lines.splitlines())
        return Contents(
            metadata=full["training_file_metadata"],
            profile=full["consultant_profile"],
            conversations=tuple(
                (UUID(each["conversation_metadata"]["conversation_id"]), each)
                for each in full["conversations"]
            ),
            examples=tuple(examples),
            announced=meta["_meta"],
        )
    except (ValueError, LookupError, TypeError) as error:
        raise Unreadable(f"its objects cannot be read: {error}") from error


def _object(store: ObjectStore, version: Mapping[str, Any], format: str) -> bytes:
    try:
        data = store.get(version[f"{format}_key"], max_bytes=MAX_BYTES)
    except ObjectMissing as missing:
        raise Unreadable(str(missing)) from missing
    if len(data) != version[f"{format}_size_bytes"]:
        raise Unreadable(f"its {format} has {len(data)} bytes, not the recorded number")
    return data
