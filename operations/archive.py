"""Archive a training file, so that nothing is added to it, and take it back."""

from sqlalchemy import Engine

from db.file_life import set_status
from domain.versions.requests import FileCommand
from operations.log import changing, note_change


def archive(engine: Engine, command: FileCommand) -> str:
    """Archive the file and return its name; an archived one stays as it is."""
    return _set(engine, command, "archive", "archived")


def unarchive(engine: Engine, command: FileCommand) -> str:
    """Make an archived file active again and return its name; an active one stays as it is."""
    return _set(engine, command, "unarchive", "active")


def _set(engine: Engine, command: FileCommand, action: str, status: str) -> str:
    with changing(engine, command, action) as (connection, file):
        if file.status != status:
            set_status(connection, file, status)
            note_change(connection, file, command, action)
    return file.name
