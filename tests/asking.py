"""Requests for tests, and the reduce's work without Prefect."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from domain.source.limits import Limits
from domain.versions.record import VersionRecord
from domain.versions.requests import AddRequest, RemoveRequest, RollbackRequest
from operations import resources
from operations.add import add
from operations.remove import remove
from operations.rollback import roll_back


def request(name: str, ids: Sequence[UUID | str], **changes: Any) -> AddRequest:
    values: dict[str, Any] = {
        "training_file": name,
        "conversation_ids": tuple(map(str, ids)),
        "requested_by": "a test",
        "request_id": str(uuid4()),
    }
    return AddRequest.model_validate(values | changes)


def carry_out(asked: AddRequest) -> VersionRecord:
    """Gate, fetch, validate and reduce in this thread."""
    return add(
        resources.engine(),
        resources.conversations_store(),
        resources.training_files_store(),
        asked,
        limits=Limits(),
    )


def take_out(name: str, ids: Sequence[UUID | str], **changes: Any) -> VersionRecord:
    """Remove conversations in this thread."""
    values: dict[str, Any] = {
        "training_file": name,
        "conversation_ids": tuple(map(str, ids)),
        "comment": "the client asked for it",
        "requested_by": "a test",
        "request_id": str(uuid4()),
    }
    asked = RemoveRequest.model_validate(values | changes)
    return remove(resources.engine(), resources.training_files_store(), asked)


def go_back(name: str, to: int | str, **changes: Any) -> VersionRecord:
    """Roll back in this thread."""
    values: dict[str, Any] = {
        "training_file": name,
        "to": str(to),
        "requested_by": "a test",
        "request_id": str(uuid4()),
    }
    asked = RollbackRequest.model_validate(values | changes)
    return roll_back(resources.engine(), resources.training_files_store(), asked)


def content_of(version: VersionRecord) -> tuple[bytes, bytes]:
    """The stored full JSON and JSONL."""
    store = resources.training_files_store()
    full = b"".join(store.chunks(version.full.key))
    return full, b"".join(store.chunks(version.lines.key))
