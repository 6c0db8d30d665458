"""The merge by splicing: a new header, the old content as it is, the new fragments.

Nothing that a training file already holds is parsed or rendered again. Adding A and then B gives
the same content bytes as adding A+B at once (invariant 7), because content is only ever appended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from domain import jsonl
from domain.conversation import VERTICAL
from domain.fragment import Fragment
from domain.statistics import Statistics, quality_summary, scaffolding_distribution

FORMAT_SPEC = "brightrun-lora-v4"
BETWEEN = b",\n"
TAIL = b"\n  ]\n}\n"


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` (excluded) of a stored object."""

    key: str
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


Segment = bytes | Span


@dataclass(frozen=True, slots=True)
class Document:
    """An object to be stored: its segments in order, and where its content stands."""

    segments: tuple[Segment, ...]
    content_start: int
    content_end: int
    size_bytes: int


def full_document(header: bytes, old: Span | None, fragments: Sequence[Fragment]) -> Document:
    """The full JSON: header, conversations held so far, new conversations, closing brackets."""
    new = BETWEEN.join(fragment.full for fragment in fragments)
    content: list[Segment] = [old, BETWEEN + new] if old else [new]
    return document(header, content, TAIL)


def jsonl_document(meta: bytes, old: Span | None, fragments: Sequence[Fragment]) -> Document:
    """The JSONL: `_meta` line, lines held so far, new lines."""
    new = b"".join(fragment.lines for fragment in fragments)
    return document(meta, [old, new] if old else [new], b"")


def document(header: bytes, content: Sequence[Segment], tail: bytes) -> Document:
    """An object of these segments; `tail` is no content."""
    start = len(header)
    end = start + sum(map(len, content))
    segments = tuple(segment for segment in (header, *content, tail) if len(segment))
    return Document(segments, content_start=start, content_end=end, size_bytes=end + len(tail))


def full_header(
    *,
    name: str,
    created: datetime,
    updated: datetime,
    statistics: Statistics,
    consultant_profile: Mapping[str, Any],
) -> bytes:
    """Everything in the full JSON before the first conversation. Times are UTC."""
    head = {
        "training_file_metadata": {
            "file_name": name,
            "version": jsonl.FORMAT_VERSION,
            "created_date": utc_text(created),
            "last_updated": utc_text(updated),
            "format_spec": FORMAT_SPEC,
            "vertical": VERTICAL,
            "total_conversations": statistics.conversations,
            "total_training_pairs": statistics.pairs,
            "quality_summary": quality_summary(statistics),
            "scaffolding_distribution": scaffolding_distribution(statistics),
        },
        "consultant_profile": consultant_profile,
    }
    text = orjson.dumps(head, option=orjson.OPT_INDENT_2)
    return text.removesuffix(b"\n}") + b',\n  "conversations": [\n'


def utc_text(moment: datetime) -> str:
    """ISO 8601 with milliseconds and Z, as in the format's examples."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
