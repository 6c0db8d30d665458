"""Store conversations as an application does: a row and a file for each."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Engine, text

from soak.building import as_bytes, conversation
from soak.chance import Chance
from storage.store import ObjectStore

INSERT = text("""
    INSERT INTO trainfold.conversations (conversation_id, enrichment_status, enriched_file_path)
    VALUES (:id, 'completed', :path)
""")
TEXTS = (b"What should I do first?", b"Let us write down one number today")
"""Texts of the user and the assistant in `soak.building`."""


def new_conversation(chance: Chance, *, padding_bytes: int = 0) -> tuple[UUID, bytes]:
    """Build a valid, unique conversation: its id is in every message."""
    conversation_id = chance.uuid()
    value = conversation(conversation_id, turns=chance.randint(2, 6))
    notes = "Read, and found good. " * (padding_bytes // 22)
    value["training_pairs"][0]["training_metadata"]["reviewer_notes"] = notes or None
    data = as_bytes(value)
    for message in TEXTS:
        data = data.replace(message, message + f" {conversation_id}".encode())
    return conversation_id, data


def register(engine: Engine, store: ObjectStore, sources: Iterable[tuple[UUID, bytes]]) -> None:
    rows = []
    for conversation_id, data in sources:
        path = f"soak/{conversation_id}.json"
        store.put(path, data, content_type="application/json")
        rows.append({"id": conversation_id, "path": path})
    with engine.begin() as connection:
        connection.execute(INSERT, rows)
