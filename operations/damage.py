"""Whether a training file refuses conversations with damaged text: ask, or set it."""

from sqlalchemy import Engine

from db.engine import reading
from db.file_life import find_refuses_damage, set_refuses_damage
from domain.versions.requests import FileCommand
from operations.log import changing, note_change


def read_refuses_damage(engine: Engine, name: str) -> tuple[str, bool]:
    """Return the file's name and setting; raise NotFound where there is no such file."""
    with reading(engine) as connection:
        return find_refuses_damage(connection, name)


def refuse_damage(engine: Engine, command: FileCommand, *, refused: bool) -> str:
    """Have the file refuse damaged text from now on, or take it; return the file's name.

    What is in the file stays in it.
    """
    with changing(engine, command, "damage") as (connection, file):
        if file.refuses_damage != refused:
            set_refuses_damage(connection, file, refused=refused)
            note_change(connection, file, command, "damage", refuses_damage=refused)
    return file.name
