"""Commands on training files, as tests give them, and what the log has of them."""

from typing import Any
from uuid import uuid4

from domain.versions.log import RecordedEntry
from domain.versions.requests import FileCommand
from operations import resources
from operations.archive import archive
from operations.delete import delete
from operations.log import read_log


def command(name: str, **changes: Any) -> FileCommand:
    values = {"training_file": name, "requested_by": "a test", "request_id": str(uuid4())}
    return FileCommand.model_validate(values | changes)


def archive_and_delete(name: str) -> None:
    archive(resources.engine(), command(name))
    delete(resources.engine(), command(name), confirmation=name)


def logged(name: str, **options: Any) -> list[RecordedEntry]:
    return read_log(resources.engine(), name, **({"limit": 1_000} | options))


def actions(name: str) -> list[tuple[str, str]]:
    """What the log has of a file, oldest first."""
    return [(entry.action, entry.outcome) for entry in reversed(logged(name))]
