"""Requests for a new version."""

import hashlib
import json
import re
from abc import abstractmethod
from typing import Any
from uuid import UUID

from pydantic import field_validator

from domain.frozen import FrozenModel
from domain.versions.naming import name_key, normal_name

MAX_CONVERSATIONS = 80
"""Conversations in one request: as many as a curator can review, as the users asked."""

MAX_DESCRIPTION_LENGTH = 2_000
MAX_ASKER_LENGTH = 200
MAX_COMMENT_LENGTH = 500


class Asked(FrozenModel):
    """What somebody asks to do with a training file; the log records how it ended."""

    training_file: str
    requested_by: str
    request_id: str
    run_id: str | None = None
    """The flow run in Prefect that carries it out, if one does."""

    @property
    def name(self) -> str:
        return normal_name(self.training_file)


class VersionRequest(Asked):
    """A request for a new version of a training file, whatever the version changes."""

    strict: bool = False
    """Treat warnings as errors."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """Return a digest that is equal for equal requests, whoever asks for them."""


class ConversationsRequest(VersionRequest):
    """A request that names conversations."""

    conversation_ids: tuple[UUID | str, ...]
    """Text where it is not a UUID: a wrong id is a reason for the gate, not an exception."""

    @field_validator("conversation_ids", mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        """Take a list, or one pasted text with white space, commas or semicolons between ids."""
        texts = re.findall(r"[^\s,;]+", value) if isinstance(value, str) else value
        return tuple(_parsed(text) for text in texts) if isinstance(texts, list | tuple) else texts

    @property
    def ids(self) -> tuple[UUID, ...]:
        """Return the well-formed ids, in the order of the request."""
        return tuple(id for id in self.conversation_ids if isinstance(id, UUID))


class AddRequest(ConversationsRequest):
    """Add conversations to a training file, or create it with them."""

    new: bool = False
    description: str = ""

    @property
    def action(self) -> str:
        return "create" if self.new else "add"

    @property
    def digest(self) -> str:
        return digest_of([name_key(self.name), self.new, list(map(str, self.conversation_ids))])


class RemoveRequest(ConversationsRequest):
    """Make a version without these conversations; earlier versions keep them."""

    comment: str
    """Why; recorded on the version."""

    @property
    def digest(self) -> str:
        return digest_of(["remove", name_key(self.name), list(map(str, self.conversation_ids))])


class RollbackRequest(VersionRequest):
    """Make a version with exactly the content of an earlier one."""

    to: str
    """A version's number, or a tag."""
    comment: str = ""

    @property
    def digest(self) -> str:
        return digest_of(["rollback", name_key(self.name), normal_name(self.to)])


class RebuildRequest(VersionRequest):
    """Read all conversations of a training file again from their sources."""

    whole: bool = False
    """Write every conversation's bytes again, even where they are the same; repairs damage."""

    @property
    def digest(self) -> str:
        return digest_of(["rebuild", name_key(self.training_file), self.whole])


class FileCommand(Asked):
    """A change of a training file that makes no version: rename, archive, unarchive, delete, keep.

    It is carried out once; its id only tells it from others in the log.
    """

    comment: str = ""
    """Why."""


def digest_of(values: list[Any]) -> str:
    """Return a digest that is equal for equal values."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _parsed(text: Any) -> Any:
    try:
        return UUID(text.strip()) if isinstance(text, str) else text
    except ValueError:
        return text
