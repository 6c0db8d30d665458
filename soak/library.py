"""Store conversations as an application does: a row and a file for each."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Engine, text

from soak.building import as_bytes, conversation
from soak.chance import Chance
from soak.planting import PlantedWarning, plant
from soak.revision import Revision
from storage.store import ObjectStore

INSERT = text("""
    INSERT INTO trainfold.conversations
        (conversation_id, enrichment_status, enriched_file_path, persona_key)
    VALUES (:id, 'completed', :path, :persona)
""")
TEXTS = (b"What should I do first?", b"Let us write down one number today")
"""Texts of the user and the assistant in `soak.building`."""
DIFFERENT_PERSONA = "pragmatic_optimist"
DIFFERS = PlantedWarning(
    "scaffolding-differs", "training_pairs[0].conversation_metadata.persona_archetype"
)
"""The warning about a row whose persona differs from the file's."""


def new_conversation(chance: Chance, *, padding_bytes: int = 0) -> Revision:
    """Build a valid, unique conversation."""
    return new_revision(chance, chance.uuid(), padding_bytes=padding_bytes)


def new_revision(chance: Chance, conversation_id: UUID, *, padding_bytes: int = 0) -> Revision:
    """Build a valid, unique source file of the conversation: every message has a mark."""
    value = conversation(conversation_id, turns=chance.randint(2, 6))
    if chance.random() < 1 / 4:
        value["consultant_profile"]["expertise"] = "planning, worded differently"
    planted = plant(chance, value)
    notes = "Read, and found good. " * (padding_bytes // 22)
    value["training_pairs"][0]["training_metadata"]["reviewer_notes"] = notes or None
    data = as_bytes(value)
    mark = chance.uuid()
    for message in TEXTS:
        data = data.replace(message, message + f" {mark}".encode())
    if row_persona(conversation_id):
        planted = (*planted, DIFFERS)
    return Revision(conversation_id, data, planted)


def row_persona(conversation_id: UUID) -> str | None:
    """Return the persona that the conversation's row has: with one in eight, a different one."""
    return DIFFERENT_PERSONA if conversation_id.int % 8 == 0 else None


def object_key(conversation_id: UUID) -> str:
    return f"soak/{conversation_id}.json"


def register(engine: Engine, store: ObjectStore, sources: Iterable[Revision]) -> None:
    rows = []
    for source in sources:
        conversation_id = source.conversation_id
        path = object_key(conversation_id)
        store.put(path, source.data, content_type="application/json")
        rows.append({"id": conversation_id, "path": path, "persona": row_persona(conversation_id)})
    with engine.begin() as connection:
        connection.execute(INSERT, rows)
