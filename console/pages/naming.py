"""Training files as addresses name them."""

from uuid import UUID

from sqlalchemy import Connection

from db.training_files import training_file_choices


def named(connection: Connection, part: str) -> str:
    """The name that a part of an address stands for: itself, or an id's (`rendering.file_path`)."""
    try:
        wanted = UUID(part)
    except ValueError:
        return part
    found = [file.name for file in training_file_choices(connection) if file.id == wanted]
    return found[0] if found else part
