"""Delete an archived training file: its name is free at once, its objects go after a while.

The rows of its versions and conversations stay, and so does its log.
"""

from uuid import UUID

from sqlalchemy import Engine

from db.file_life import set_status
from domain.versions.naming import normal_name
from domain.versions.requests import FileCommand
from operations.log import changing, note_change, refused


def delete(engine: Engine, command: FileCommand, *, confirmation: str) -> UUID:
    """Delete the file and return its id, under which its log is found.

    Raises Blocked unless the file is archived and the confirmation is its name.
    """
    with changing(engine, command, "delete") as (connection, file):
        if file.status != "archived":
            text = f"“{file.name}” is {file.status}; only an archived training file can be deleted."
            raise refused("file-not-archived", text)
        if normal_name(confirmation) != file.name:
            text = f"The confirmation is not the file's name, which is “{file.name}”."
            raise refused("not-confirmed", text)
        set_status(connection, file, "deleted")
        note_change(connection, file, command, "delete")
    return file.id
