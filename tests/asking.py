"""Requests for tests, and the reduce's work without Prefect."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from db.engine import reading
from db.gate import gate
from domain.limits import Limits
from domain.requests import AddRequest
from domain.validation import validate
from domain.version import VersionRecord
from storage.source import read_source
from tasks import resources
from tasks.reduce import make_version


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
    with reading(resources.engine()) as connection:
        admission = gate(connection, asked)
    fragments = [
        validate(
            read_source(resources.conversations_store(), eligible, most_bytes=10_000_000),
            eligible,
            limits=Limits(),
            strict=asked.strict,
        )
        for eligible in admission.conversations
    ]
    return make_version(resources.engine(), resources.training_files_store(), asked, fragments)


def content_of(version: VersionRecord) -> tuple[bytes, bytes]:
    """The stored full JSON and JSONL."""
    store = resources.training_files_store()
    full = b"".join(store.chunks(version.json_key))
    return full, b"".join(store.chunks(version.jsonl_key))
