"""Compare the stored objects of a version with what the version records, a piece at a time.

Memory holds one conversation, whatever the size of the files.
"""

import hashlib
from collections.abc import Iterable, Iterator

import orjson
from pydantic import TypeAdapter

from domain import jsonl
from domain.conversation import TrainingPair
from domain.fragment import sha256
from domain.merge import BETWEEN, TAIL
from domain.statistics import (
    Statistics,
    of_pairs,
    quality_summary,
    scaffolding_distribution,
    total,
)
from domain.version import Member, VersionRecord

PAIRS = TypeAdapter(list[TrainingPair])


class ByteStream:
    """Exact reads from an iterator of byte pieces, hashing and counting all that passes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = bytearray()
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    @property
    def position(self) -> int:
        return self.size_bytes - len(self._held)

    def read(self, length: int) -> bytes:
        """The next `length` bytes, or fewer at the end."""
        while len(self._held) < length and (piece := next(self._pieces, None)) is not None:
            self._hash.update(piece)
            self.size_bytes += len(piece)
            self._held += piece
        data = bytes(self._held[:length])
        del self._held[:length]
        return data

    def drain(self) -> int:
        """Read what is left; returns how many bytes that were."""
        left = 0
        while data := self.read(1024 * 1024):
            left += len(data)
        return left


def check(
    version: VersionRecord,
    members: Iterable[Member],
    *,
    full: Iterable[bytes],
    lines: Iterable[bytes],
) -> Iterator[str]:
    """What is wrong with a version's objects, in words; nothing when they are sound."""
    full_stream, line_stream = ByteStream(full), ByteStream(lines)
    yield from _check_header(version, full_stream.read(version.json_content_start))
    yield from _check_meta(version, line_stream.read(version.jsonl_content_start))
    found: list[Statistics] = []
    for index, member in enumerate(members):
        if index:
            yield from _differs(
                "the separator in the JSON", full_stream.read(len(BETWEEN)), BETWEEN
            )
        part = full_stream.read(member.json_length)
        example_lines = line_stream.read(member.jsonl_length)
        yield from _check_member(member, part, example_lines, found)
    yield from _differs(
        "the recorded end of the conversations", version.json_content_end, full_stream.position
    )
    yield from _differs("the end of the JSON", full_stream.read(len(TAIL)), TAIL)
    yield from _check_object("JSON", full_stream, version.json_size_bytes, version.json_sha256)
    yield from _check_object("JSONL", line_stream, version.jsonl_size_bytes, version.jsonl_sha256)
    yield from _check_statistics(version, found)


def _check_header(version: VersionRecord, header: bytes) -> Iterator[str]:
    try:
        head = orjson.loads(header + TAIL)
        metadata = dict(head["training_file_metadata"])
    except (ValueError, LookupError, TypeError):
        yield "the JSON's header cannot be read"
        return
    if version.statistics.pairs < 1:
        yield "the recorded statistics count no pairs"
        return
    expected = {
        "file_name": version.training_file,
        "total_conversations": version.conversation_count,
        "total_training_pairs": version.pair_count,
        "quality_summary": quality_summary(version.statistics),
        "scaffolding_distribution": scaffolding_distribution(version.statistics),
    }
    for key, value in expected.items():
        yield from _differs(f"training_file_metadata.{key}", metadata.get(key), value)
    profile = version.consultant_profile
    yield from _differs("consultant_profile", head.get("consultant_profile"), profile)


def _check_meta(version: VersionRecord, line: bytes) -> Iterator[str]:
    expected = jsonl.meta_line(version.training_file, version.example_count)
    yield from _differs("the JSONL's _meta line", line, expected)


def _check_member(
    member: Member, part: bytes, lines: bytes, found: list[Statistics]
) -> Iterator[str]:
    name = f"conversation {member.conversation_id}"
    if sha256(part) != member.json_sha256:
        yield f"{name}: its bytes in the JSON differ from the recorded digest"
        return
    # Lengths too: at the end of the file, a length too great reads what is there.
    if sha256(lines) != member.jsonl_sha256 or len(lines) != member.jsonl_length:
        yield f"{name}: its lines in the JSONL differ from the recorded digest or length"
        return
    try:
        yield from _check_content(name, member, part, lines, found)
    except (ValueError, LookupError, TypeError) as error:
        yield f"{name}: its bytes are as recorded, but cannot be read: {_short(error)}"


def _check_content(
    name: str, member: Member, part: bytes, lines: bytes, found: list[Statistics]
) -> Iterator[str]:
    value = orjson.loads(part)
    conversation_id = value["conversation_metadata"]["conversation_id"]
    yield from _differs(f"{name}: the id in the JSON", conversation_id, str(member.conversation_id))
    pairs = value["training_pairs"]
    expected = [
        jsonl.example(conversation_id, pair, suffix=member.line_suffix)
        for pair in pairs
        if pair["target_response"]
    ]
    if [orjson.loads(line) for line in lines.splitlines()] != expected:
        yield f"{name}: JSON and JSONL disagree"
    found.append(of_pairs(PAIRS.validate_python(pairs)))


def _check_object(kind: str, stream: ByteStream, size: int, digest: str) -> Iterator[str]:
    left = stream.drain()
    if left:
        yield f"the {kind} has {left:,} bytes after its end"
    if stream.size_bytes != size:
        yield f"the {kind} has {stream.size_bytes:,} bytes; recorded are {size:,}"
    elif stream.sha256 != digest:
        yield f"the {kind}'s sha256 is {stream.sha256}; recorded is {digest}"


def _check_statistics(version: VersionRecord, found: list[Statistics]) -> Iterator[str]:
    if len(found) != version.conversation_count:
        yield f"{len(found)} of {version.conversation_count} conversations are sound"
        return
    if not found:
        yield "the version holds no conversations"
        return
    numbers = total(found)
    yield from _differs("the recorded statistics", version.statistics, numbers)
    yield from _differs("the number of pairs", version.pair_count, numbers.pairs)
    yield from _differs("the number of examples", version.example_count, numbers.examples)


def _differs(what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{what} is {_short(found)}; expected {_short(expected)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:120] + "…"  # noqa: PLR2004
