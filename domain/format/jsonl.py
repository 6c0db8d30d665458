"""The lines of the JSONL: one `_meta` line, then one example line for each pair with a target."""

from collections.abc import Container, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from domain.source.conversation import META

FORMAT_VERSION = "4.0.0"

LINE_KEYS = (
    "id",
    "conversation_id",
    "turn_number",
    "conversation_metadata",
    "system_prompt",
    "conversation_history",
    "current_user_input",
    "emotional_context",
    "target_response",
    "training_metadata",
)

SUFFIX_LENGTHS = (8, 13, 18, 23, 36)
"""The ends of a UUID's groups of digits."""


def meta_line(file_name: str, total_pairs: int) -> bytes:
    """Render the first line; `total_pairs` counts the example lines that follow (invariant 10)."""
    meta = {"file_name": file_name, "total_pairs": total_pairs, "version": FORMAT_VERSION}
    return orjson.dumps({META: meta}, option=orjson.OPT_APPEND_NEWLINE)


def line_suffix(conversation_id: UUID, taken: Container[str]) -> str:
    """Return the shortest beginning of the id, at least 8 digits, that is not taken."""
    text = str(conversation_id)
    return next((text[:length] for length in SUFFIX_LENGTHS if text[:length] not in taken), text)


def example_lines(
    conversation_id: UUID, pairs: Sequence[Mapping[str, Any]], *, suffix: str
) -> bytes:
    """Render one line for each pair with a target, newline included (invariant 8).

    Keys are in the format's order; unknown keys follow in the order of the source.
    """
    text = str(conversation_id)
    return b"".join(_render(text, pair, suffix) for pair in pairs if pair["target_response"])


def with_suffix(lines: bytes, old: str, new: str) -> bytes:
    return b"".join(_relabel(line, old, new) for line in lines.splitlines())


def example(conversation_id: str, pair: Mapping[str, Any], *, suffix: str) -> dict[str, Any]:
    """Return the value of one example line: the pair, with an id unique in the training file."""
    own = {"id": f"{pair['id']}_{suffix}", "conversation_id": conversation_id}
    return {**{key: pair[key] for key in LINE_KEYS}, **pair, **own}


def _render(conversation_id: str, pair: Mapping[str, Any], suffix: str) -> bytes:
    line = example(conversation_id, pair, suffix=suffix)
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _relabel(line: bytes, old: str, new: str) -> bytes:
    values = orjson.loads(line)
    values["id"] = values["id"].removesuffix(old) + new
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)
