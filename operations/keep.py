"""How many versions of a training file are kept: ask, or set it. Maintenance applies it."""

from sqlalchemy import Engine

from db.engine import reading
from db.file_life import find_policy, set_policy
from domain.versions.requests import FileCommand
from domain.versions.retention import KeepPolicy, refuse_policy
from operations.log import changing, note_change


def read_policy(engine: Engine, name: str) -> tuple[str, KeepPolicy]:
    """Return the file's name and policy; raise NotFound where there is no such file."""
    with reading(engine) as connection:
        return find_policy(connection, name)


def keep(engine: Engine, command: FileCommand, policy: KeepPolicy) -> str:
    """Set the policy and return the file's name; raise Blocked where it is out of range."""
    with changing(engine, command, "keep") as (connection, file):
        refuse_policy(policy)
        if file.policy != policy:
            set_policy(connection, file, policy)
            note_change(connection, file, command, "keep", **policy.model_dump())
    return file.name
