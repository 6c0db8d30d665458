"""Make conversations to measure with, from the bundled samples, under new ids.

Real conversations have about 60,000 bytes. The samples have half of that, so their system prompts
are lengthened.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import text

from domain.format.fragment import Fragment
from domain.source.limits import Limits
from domain.versions.eligibility import EligibleConversation
from domain.versions.validation import validate
from operations import resources

SAMPLES = Path(__file__).parents[1] / "samples"
BYTES = 60_000
THREADS = 16

PLACEHOLDER = "00000000-0000-4000-8000-000000000000"


@cache
def templates() -> tuple[bytes, ...]:
    """Return the samples at full length, with a placeholder for the id."""
    values = [orjson.loads(path.read_bytes()) for path in sorted(SAMPLES.glob("*/*.json"))]
    profile = values[0]["consultant_profile"]
    return tuple(_lengthened(value | {"consultant_profile": profile}) for value in values)


def _lengthened(value: dict[str, Any]) -> bytes:
    value["dataset_metadata"]["dataset_name"] = f"fp_conversation_{PLACEHOLDER}"
    pairs = value["training_pairs"]
    missing = BYTES - len(orjson.dumps(value, option=orjson.OPT_INDENT_2))
    for pair in pairs:
        prompt = pair["system_prompt"]
        pair["system_prompt"] = prompt + (" " + prompt) * (missing // len(pairs) // len(prompt))
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def conversation_file(conversation_id: UUID) -> bytes:
    """Build a valid individual file for that id."""
    kinds = templates()
    template = kinds[conversation_id.int % len(kinds)]
    return template.replace(PLACEHOLDER.encode(), str(conversation_id).encode())


def fragments(count: int) -> list[Fragment]:
    """Build fragments of new conversations that are not stored anywhere."""
    return [fragment(uuid4()) for _ in range(count)]


def fragment(conversation_id: UUID) -> Fragment:
    data = conversation_file(conversation_id)
    return validate(data, eligible(conversation_id), limits=Limits())


def eligible(conversation_id: UUID) -> EligibleConversation:
    """Build the gate's answer for such a conversation."""
    return EligibleConversation(
        conversation_id=conversation_id,
        object_key=f"bench/{conversation_id}.json",
        batch_id=None,
        row_scaffolding={},
        line_suffix=str(conversation_id)[:8],
    )


def stored(count: int) -> list[UUID]:
    """Store new conversations in the bucket and the database; return their ids."""
    ids = [uuid4() for _ in range(count)]
    register(ids)
    store = resources.conversations_store()

    def put(conversation_id: UUID) -> None:
        data = conversation_file(conversation_id)
        store.put(f"bench/{conversation_id}.json", data, content_type="application/json")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(put, ids))
    return ids


def register(ids: Sequence[UUID]) -> None:
    """Insert rows of completed conversations, without storing files."""
    with resources.engine().begin() as connection:
        for part in _parts(ids, 10_000):
            connection.execute(
                text("""
                    INSERT INTO trainfold.conversations
                           (conversation_id, enrichment_status, enriched_file_path)
                    SELECT id, 'completed', 'bench/' || id || '.json'
                    FROM unnest(CAST(:ids AS uuid[])) AS id
                """),
                {"ids": [str(id) for id in part]},
            )


def _parts(ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
