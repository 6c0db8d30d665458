"""Training files in addresses of pages and of the API."""

from uuid import UUID

from sqlalchemy import Connection

from db.training_files import name_of_training_file


def training_file_name(connection: Connection, segment: str) -> str:
    """Return the training file's name for a URL segment, which is a name or an id.

    See `rendering.training_file_path`.
    """
    try:
        id = UUID(segment)
    except ValueError:
        return segment
    return name_of_training_file(connection, id) or segment
