"""Conversations with damaged text."""

from uuid import UUID, uuid4

from operations import resources
from operations.damage import refuse_damage
from soak.building import as_bytes, conversation
from tests.conftest import Library
from tests.file_commands import command


def damaged_file(id: UUID, *, what: str = "Open it first, and then the \\") -> bytes:
    """A conversation whose last answer is damaged."""
    value = conversation(id)
    value["training_pairs"][-1]["target_response"] = what
    return as_bytes(value)


def add_damaged(library: Library, **how: str) -> UUID:
    id = uuid4()
    return library.add(id, data=damaged_file(id, **how))


def refuse(name: str, *, refused: bool = True) -> None:
    refuse_damage(resources.engine(), command(name), refused=refused)
