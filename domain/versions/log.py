"""Entries of the log: who did what to a training file, when and why, and what was refused."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from domain.counting import counted
from domain.errors import Blocked, TrainfoldError
from domain.findings import Reason, shortened
from domain.frozen import FrozenModel
from domain.versions.naming import MAX_NAME_LENGTH, MAX_REQUEST_ID_LENGTH, can_be_stored
from domain.versions.requests import MAX_ASKER_LENGTH, Asked
from domain.versions.retention import KeepPolicy

MAX_REASONS = 10
"""Reasons of a refusal that are recorded; the entry counts the others."""


class LogEntry(FrozenModel):
    training_file_id: UUID | None
    """None where a request was refused for a file that does not exist."""
    file_name: str
    """The training file's name before the change."""
    action: str
    outcome: Literal["done", "refused"]
    actor: str
    comment: str = ""
    version: int | None = None
    request_id: str | None = None
    run_id: str | None = None
    """The flow run in Prefect."""
    detail: dict[str, Any] = Field(default_factory=dict)


class RecordedEntry(LogEntry):
    id: int
    at: datetime

    @property
    def in_words(self) -> str:
        """Say for people what the details are, and why."""
        detail = self.detail
        if self.outcome == "refused":
            more = f" (and {detail['count'] - 1} more)" if detail["count"] > 1 else ""
            return f"{detail['reasons'][0]['reason']}{more}"
        texts = [self.comment]
        if "new_name" in detail:
            texts.append(f"“{self.file_name}” to “{detail['new_name']}”")
        elif "tag" in detail:
            texts.append(f"“{detail['tag']}”")
        elif "conversations" in detail:
            texts.append(counted(detail["conversations"], "conversation"))
        elif "refuses_damage" in detail:
            texts.append(f"{'refuses' if detail['refuses_damage'] else 'takes'} damaged text")
        elif "tagged" in detail:
            texts.append(f"keeps {KeepPolicy.model_validate(detail)}")
        return "; ".join(filter(None, texts))


def refusal(asked: Asked, action: str, error: TrainfoldError) -> tuple[LogEntry, str]:
    """Return the entry of a refused request, and the digest by which it is recorded once."""
    reasons = (
        error.reasons
        if isinstance(error, Blocked)
        else (Reason(code="not-found", reason=str(error)),)
    )
    entry = LogEntry(
        training_file_id=None,
        file_name=_storable(asked.name, MAX_NAME_LENGTH),
        action=action,
        outcome="refused",
        actor=_storable(asked.requested_by, MAX_ASKER_LENGTH),
        request_id=_storable(asked.request_id, MAX_REQUEST_ID_LENGTH),
        run_id=asked.run_id,
        detail={
            "count": len(reasons),
            "reasons": [reason.model_dump() for reason in reasons[:MAX_REASONS]],
        },
    )
    return entry, _digest(action, reasons)


def _storable(text: str, max_length: int) -> str:
    """Return a text that was refused for its form in one that can be recorded."""
    fits = len(text) <= max_length and can_be_stored(text)
    return text if fits else shortened(text, max_length)


def _digest(action: str, reasons: Sequence[Reason]) -> str:
    values = [action, *sorted(reason.model_dump_json() for reason in reasons)]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
