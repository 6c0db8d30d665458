"""Compare the stored objects of a version with its records, one conversation at a time.

Memory is bounded by one conversation, whatever the size of the files.
"""

from collections.abc import Iterable, Iterator

import orjson
from pydantic import TypeAdapter

from domain.format import jsonl
from domain.format.digest import EMPTY, extend, sha256
from domain.format.full_json import BETWEEN, TAIL
from domain.source.conversation import TrainingPair
from domain.statistics import (
    ConversationStatistics,
    of_pairs,
    quality_summary,
    scaffolding_distribution,
    total,
)
from domain.versions import layout
from domain.versions.layout import ByteStream
from domain.versions.record import Member, VersionRecord

PAIRS = TypeAdapter(list[TrainingPair])


class _Tally:
    """Digests and statistics of the members read so far."""

    def __init__(self) -> None:
        self.sound: list[ConversationStatistics] = []
        self.full_digest = self.lines_digest = EMPTY

    def record(self, member: Member) -> None:
        self.full_digest = extend(self.full_digest, [member.json_sha256])
        self.lines_digest = extend(self.lines_digest, [member.jsonl_sha256])


def check(
    version: VersionRecord,
    members: Iterable[Member],
    *,
    full: Iterable[bytes],
    lines: Iterable[bytes],
) -> Iterator[str]:
    """Yield a finding for each defect of a version's objects; none if they are sound."""
    full_stream, line_stream = ByteStream(full), ByteStream(lines)
    yield from _check_header(version, full_stream.read(version.full.content_start))
    meta = line_stream.read(version.lines.content_start)
    yield from _differs("the JSONL's _meta line", meta, layout.header(version, "jsonl"))
    tally = _Tally()
    for index, member in enumerate(members):
        if index:
            yield from _differs(
                "the separator in the JSON", full_stream.read(len(BETWEEN)), BETWEEN
            )
        tally.record(member)
        part = full_stream.read(member.json_length)
        example_lines = line_stream.read(member.jsonl_length)
        yield from _check_member(member, part, example_lines, tally)
    yield from _differs(
        "the recorded end of the conversations", version.full.content_end, full_stream.position
    )
    yield from _differs("the end of the JSON", full_stream.read(len(TAIL)), TAIL)
    yield from _check_size("JSON", full_stream, version.full.size_bytes)
    yield from _check_size("JSONL", line_stream, version.lines.size_bytes)
    yield from _check_sums(version, tally)


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
        "file_name": version.file_name,
        "total_conversations": version.conversation_count,
        "total_training_pairs": version.pair_count,
        "quality_summary": quality_summary(version.statistics),
        "scaffolding_distribution": scaffolding_distribution(version.statistics),
    }
    for key, value in expected.items():
        yield from _differs(f"training_file_metadata.{key}", metadata.get(key), value)
    profile = version.consultant_profile
    yield from _differs("consultant_profile", head.get("consultant_profile"), profile)
    if header != layout.header(version, "json"):
        yield "the JSON's header is not written as its version records"


def _check_member(member: Member, part: bytes, lines: bytes, tally: _Tally) -> Iterator[str]:
    name = f"conversation {member.conversation_id}"
    if sha256(part) != member.json_sha256:
        yield f"{name}: its bytes in the JSON differ from the recorded digest"
        return
    # The length too: at the end of the file, too great a length reads only what is there.
    if sha256(lines) != member.jsonl_sha256 or len(lines) != member.jsonl_length:
        yield f"{name}: its lines in the JSONL differ from the recorded digest or length"
        return
    try:
        yield from _check_content(name, member, part, lines, tally)
    except (ValueError, LookupError, TypeError) as error:
        yield f"{name}: its bytes are as recorded, but cannot be read: {_short(error)}"


def _check_content(
    name: str, member: Member, part: bytes, lines: bytes, tally: _Tally
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
    tally.sound.append(of_pairs(PAIRS.validate_python(pairs)))


def _check_size(kind: str, stream: ByteStream, size: int) -> Iterator[str]:
    left = stream.drain()
    if left:
        yield f"the {kind} has {left:,} bytes after its end"
    if stream.size_bytes != size:
        yield f"the {kind} has {stream.size_bytes:,} bytes; recorded are {size:,}"


def _check_sums(version: VersionRecord, tally: _Tally) -> Iterator[str]:
    yield from _differs("the recorded digest of the JSON", version.full.digest, tally.full_digest)
    yield from _differs(
        "the recorded digest of the JSONL", version.lines.digest, tally.lines_digest
    )
    if len(tally.sound) != version.conversation_count:
        yield f"{len(tally.sound)} of {version.conversation_count} conversations are sound"
        return
    if not tally.sound:
        yield "the version holds no conversations"
        return
    statistics = total(tally.sound)
    yield from _differs("the recorded statistics", version.statistics, statistics)
    yield from _differs("the number of pairs", version.pair_count, statistics.pairs)
    yield from _differs("the number of examples", version.example_count, statistics.examples)


def _differs(what: str, actual: object, expected: object) -> Iterator[str]:
    if actual != expected:
        yield f"{what} is {_short(actual)}; expected {_short(expected)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:120] + "…"  # noqa: PLR2004
