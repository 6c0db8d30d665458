"""Stored objects against what is recorded: every damage is found, none is a stack trace."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.format.full_json import BETWEEN, TAIL
from domain.versions.record import Member, StoredObject, VersionRecord
from domain.versions.verification import ByteStream, check
from soak.building import conversation, profile
from tests.domain.making import POOL, A, B, C, TrainingFile, steady

D = POOL[1]


def made() -> TrainingFile:
    file = TrainingFile()
    file.add(conversation(A), conversation(B, score=4.1))
    file.add(conversation(C, turns=2))
    file.add(conversation(D, turns=1))
    return file


FILE = made()
FULL, LINES = FILE.full, FILE.lines
START, END = FILE.version.full.content_start, FILE.version.full.content_end


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def findings(
    *,
    full: bytes = FULL,
    lines: bytes = LINES,
    version: VersionRecord = FILE.version,
    members: Iterable[Member] = tuple(FILE.members),
    size: int = 1_000,
) -> list[str]:
    found = list(check(version, members, full=pieces(full, size), lines=pieces(lines, size)))
    assert all(isinstance(finding, str) and len(finding) < 600 for finding in found)
    return found


@pytest.mark.parametrize("size", [1, 7, 4_096, 10**7])
def test_sound_objects_give_no_finding_however_they_arrive(size):
    assert findings(size=size) == []


def test_every_version_of_a_file_is_sound():
    for number, version in enumerate(FILE.versions, start=1):
        members = [member for member in FILE.members if member.added_in <= number]
        full, lines = FILE.objects[version.full.key], FILE.objects[version.lines.key]
        assert findings(version=version, members=members, full=full, lines=lines) == []


@settings(steady, max_examples=200)
@given(st.integers(0, len(FULL) - 1), st.integers(1, 255))
def test_any_changed_byte_of_the_json_is_found(at, change):
    assert findings(full=FULL[:at] + bytes([FULL[at] ^ change]) + FULL[at + 1 :])


@settings(steady, max_examples=200)
@given(st.integers(0, len(LINES) - 1), st.integers(1, 255))
def test_any_changed_byte_of_the_jsonl_is_found(at, change):
    assert findings(lines=LINES[:at] + bytes([LINES[at] ^ change]) + LINES[at + 1 :])


@steady
@given(st.integers(0, len(FULL) - 1), st.integers(0, len(LINES) - 1))
def test_a_truncated_object_is_found(full, lines):
    assert findings(full=FULL[:full])
    assert findings(lines=LINES[:lines])


@pytest.mark.parametrize("more", [b"\n", b"\x00", b"x" * 3_000_000])
def test_an_extended_object_is_found(more):
    assert any("after its end" in finding for finding in findings(full=FULL + more))
    assert any("after its end" in finding for finding in findings(lines=LINES + more))


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff" * 5_000, b"[" * 200_000])
def test_something_else_in_the_objects_place_is_found(data):
    assert findings(full=data)
    assert findings(lines=data)


def test_a_finding_names_the_conversation():
    at = FULL.index(str(B).encode())
    damaged = FULL[:at] + b"0" + FULL[at + 1 :]
    assert findings(full=damaged)[0].startswith(f"conversation {B}: its bytes in the JSON")


def test_swapped_conversations_are_found():
    first, second, *rest = FULL[START:END].split(b"\n    },\n")
    swapped = b"\n    },\n".join([second, first, *rest])
    assert len(swapped) == END - START
    assert findings(full=FULL[:START] + swapped + FULL[END:])


def test_swapped_lines_are_found():
    meta, first, second, *rest = LINES.splitlines(keepends=True)
    assert findings(lines=b"".join([meta, second, first, *rest]))


def test_the_jsonl_of_another_version_is_found():
    assert findings(lines=FILE.objects[FILE.versions[0].lines.key])


def test_the_json_of_another_version_is_found():
    assert findings(full=FILE.objects[FILE.versions[0].full.key])
    assert findings(full=FILE.objects[FILE.versions[1].full.key])


STATISTICS = FILE.version.statistics


def stored_full(**changes: Any) -> StoredObject:
    return FILE.version.full.model_copy(update=changes)


def stored_lines(**changes: Any) -> StoredObject:
    return FILE.version.lines.model_copy(update=changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"conversation_count": 5},
        {"conversation_count": 0},
        {"pair_count": 12},
        {"example_count": 6},
        {"full": stored_full(size_bytes=len(FULL) - 1)},
        {"full": stored_full(digest="0" * 64)},
        {"full": stored_full(content_start=START - 1)},
        {"full": stored_full(content_start=START + 1)},
        {"full": stored_full(content_start=0)},
        {"full": stored_full(content_start=10**9)},
        {"full": stored_full(content_end=END - 1)},
        {"full": stored_full(content_end=END + len(TAIL))},
        {"full": stored_full(content_end=0)},
        {"lines": stored_lines(size_bytes=0)},
        {"lines": stored_lines(digest="")},
        {"lines": stored_lines(content_start=0)},
        {"lines": stored_lines(content_start=FILE.version.lines.content_start + 1)},
        {"file_name": "Summer batch"},
        {"consultant_profile": profile(name="Ada Poe")},
        {"consultant_profile": {}},
        {"statistics": STATISTICS.model_copy(update={"pairs": 0})},
        {"statistics": STATISTICS.model_copy(update={"pairs": 12})},
        {"statistics": STATISTICS.model_copy(update={"quality_sum": STATISTICS.quality_sum + 1})},
        {"statistics": STATISTICS.model_copy(update={"human_reviewed": 1})},
        {"statistics": STATISTICS.model_copy(update={"examples": 0})},
        {"statistics": STATISTICS.model_copy(update={"tiers": {}})},
        {"statistics": STATISTICS.model_copy(update={"personas": {"x": 1}})},
    ],
    ids=lambda changes: f"{next(iter(changes))}={next(iter(changes.values()))}"[:50],
)
def test_a_wrong_record_of_the_version_is_found(changes):
    assert findings(version=FILE.version.model_copy(update=changes))


@pytest.mark.parametrize("index", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "changes",
    [
        {"json_length": 10},
        {"json_length": 0},
        {"json_length": 10**9},
        {"json_sha256": "0" * 64},
        {"jsonl_length": 7},
        {"jsonl_length": 10**9},
        {"jsonl_sha256": "0" * 64},
        {"conversation_id": FILE.version.training_file_id},
    ],
)
def test_a_wrong_record_of_a_member_is_found(index, changes):
    members = list(FILE.members)
    members[index] = members[index].model_copy(update=changes)
    assert findings(members=members)


def test_a_wrong_suffix_on_record_is_found():
    first, *rest = FILE.members
    wrong = first.model_copy(update={"line_suffix": "aaaaaaaa-0000"})
    assert findings(members=[wrong, *rest]) == [f"conversation {A}: JSON and JSONL disagree"]


@pytest.mark.parametrize(
    "members",
    [[], FILE.members[:3], [*FILE.members, FILE.members[0]], FILE.members[::-1]],
    ids=["none", "one missing", "one twice", "reversed"],
)
def test_other_members_than_the_objects_hold_are_found(members):
    assert findings(members=members)


def test_a_version_without_conversations_is_found_and_no_stack_trace():
    assert findings(members=[], version=FILE.version.model_copy(update={"conversation_count": 0}))


# Damage with digests that agree: someone, or a bug, recorded what was already wrong.


def recorded_as_found(part: bytes, lines: bytes = b"") -> list[str]:
    """Findings when the first conversation is replaced, and its record with it."""
    first, *rest = FILE.members
    own = LINES[FILE.version.lines.content_start :][: first.jsonl_length]
    full = FULL[:START] + part + FULL[START + first.json_length :]
    all_lines = LINES.replace(own, lines)
    member = first.model_copy(
        update={
            "json_length": len(part),
            "json_sha256": sha256(part).hexdigest(),
            "jsonl_length": len(lines),
            "jsonl_sha256": sha256(lines).hexdigest(),
        }
    )
    version = FILE.version.model_copy(
        update={
            "full": stored_full(content_end=END + len(full) - len(FULL), size_bytes=len(full)),
            "lines": stored_lines(size_bytes=len(all_lines)),
        }
    )
    return findings(full=full, lines=all_lines, version=version, members=[member, *rest])


def pairs_replaced(pairs: Any) -> bytes:
    value = FILE.value["conversations"][0]
    return orjson.dumps(value | {"training_pairs": pairs})


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[]",
        b"3",
        b'"x"',
        b"{}",
        b'{"conversation_metadata": null}',
        b'{"conversation_metadata": {}}',
        b'{"conversation_metadata": {"conversation_id": 1}, "training_pairs": 1}',
        b"[" * 100_000,
        pairs_replaced([]),
        pairs_replaced([1]),
        pairs_replaced([{}]),
        pairs_replaced({}),
        pairs_replaced([{"target_response": "x"}]),
    ],
)
def test_a_conversation_recorded_with_its_damage_is_found(part):
    assert any(f"conversation {A}: " in finding for finding in recorded_as_found(part))


@pytest.mark.parametrize("lines", [b"", b"x\n", b"{}\n", b"[]\n{}\n", b"\xff"])
def test_lines_recorded_with_their_damage_are_found(lines):
    part = FULL[START : START + FILE.members[0].json_length]
    assert any(f"conversation {A}: " in finding for finding in recorded_as_found(part, lines))


def test_a_meta_line_recorded_with_its_damage_is_found():
    meta = LINES[: FILE.version.lines.content_start]
    lines = LINES.replace(meta, meta.replace(b'"total_pairs":5', b'"total_pairs":4'))
    assert lines != LINES
    (finding,) = findings(lines=lines)
    assert finding.startswith("the JSONL's _meta line")


def test_an_end_recorded_with_its_damage_is_found():
    full = FULL[:END] + b"\n  ]\n}}"
    first, *_ = findings(full=full)
    assert first.startswith("the end of the JSON")


@pytest.mark.parametrize(
    "header",
    [
        b'{"training_file_metadata": 1, "conversations": [',
        b'{"training_file_metadata": "xx", "conversations": [',
        b'{"training_file_metadata": null, "conversations": [',
        b'{"training_file_metadata": [], "conversations": [',
        b'{"training_file_metadata": {}, "conversations": [',
        b'{"conversations": [',
        b'[{"a":[',
    ],
)
def test_a_header_of_another_shape_is_found(header):
    version = FILE.version.model_copy(update={"full": stored_full(content_start=len(header))})
    assert findings(full=header + FULL[START:], version=version)


def test_a_stream_reads_exactly_and_counts_what_passes():
    stream = ByteStream([b"ab", b"", b"cdef"])
    assert (stream.read(3), stream.position) == (b"abc", 3)
    assert (stream.read(0), stream.read(9), stream.read(1)) == (b"", b"def", b"")
    assert (stream.drain(), stream.size_bytes) == (0, 6)


def test_the_separator_is_checked():
    at = START + FILE.members[0].json_length
    assert FULL[at : at + len(BETWEEN)] == BETWEEN
    found = findings(full=FULL[:at] + b";\n" + FULL[at + len(BETWEEN) :])
    assert found[0].startswith("the separator in the JSON")
