"""Rename a training file. Its versions keep the name that they were made under."""

from sqlalchemy import Engine

from db.file_life import rename_file
from domain.errors import DatabaseRefused
from domain.versions.naming import name_problem, normal_name
from domain.versions.requests import FileCommand
from operations.log import changing, note_change, refusals_recorded, refused


def rename(engine: Engine, command: FileCommand, new_name: str) -> str:
    """Give the file another name, and return it; the name that it has already changes nothing.

    Raises Blocked where the name is malformed or another file has it, and what `changing` raises.
    """
    new_name = normal_name(new_name)
    with refusals_recorded(engine, command, "rename"):
        if problem := name_problem(new_name):
            raise refused("bad-name", f"Not a name for a training file: {problem}.")
        try:
            _rename(engine, command, new_name)
        except DatabaseRefused as taken:
            if taken.constraint != "uq_training_files_name_key":
                raise
            text = f"A training file “{new_name}” exists already; choose another name."
            raise refused("name-taken", text) from taken
    return new_name


def _rename(engine: Engine, command: FileCommand, new_name: str) -> None:
    with changing(engine, command, "rename") as (connection, file):
        if file.name != new_name:
            rename_file(connection, file, new_name)
            note_change(connection, file, command, "rename", new_name=new_name)
