"""What a caller asks for."""

import hashlib
import json
import re
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, field_validator

from domain.naming import name_key, normal_name


class AddRequest(BaseModel):
    """Add conversations to a training file, or create it with them.

    Ids are kept as they were given: a wrong one is a reason, not an exception.
    """

    model_config = ConfigDict(frozen=True)

    training_file: str
    conversation_ids: tuple[str, ...]
    new: bool = False
    description: str = ""
    strict: bool = False
    requested_by: str
    request_id: str

    @field_validator("conversation_ids", mode="before")
    @classmethod
    def _pasted(cls, value: Any) -> Any:
        """Ids may come as one pasted text, with white space, commas or semicolons between them."""
        return tuple(re.findall(r"[^\s,;]+", value)) if isinstance(value, str) else value

    @property
    def name(self) -> str:
        return normal_name(self.training_file)

    @property
    def ids(self) -> tuple[UUID | None, ...]:
        """The ids in the order of the request; None where the text is no UUID."""
        return tuple(_uuid(text) for text in self.conversation_ids)

    @property
    def plain_ids(self) -> list[str]:
        """The ids in the form that all write; as they were given where they are no UUIDs."""
        given = zip(self.ids, self.conversation_ids, strict=True)
        return [str(parsed or text) for parsed, text in given]

    @property
    def digest(self) -> str:
        """Tells whether a repeated request id comes with the same request."""
        return _digest([name_key(self.name), self.new, self.plain_ids])


class RebuildRequest(BaseModel):
    """Read all conversations of a training file anew from their sources."""

    model_config = ConfigDict(frozen=True)

    training_file: str
    whole: bool = False
    """Write every conversation's bytes anew, even where they are the same; heals damage."""
    strict: bool = False
    requested_by: str
    request_id: str

    @property
    def digest(self) -> str:
        """Tells whether a repeated request id comes with the same request."""
        return _digest(["rebuild", name_key(self.training_file), self.whole])


def _digest(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
