"""What differs between two versions: conversations, and of changed ones the pairs and fields."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import zip_longest
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from domain.findings import shortened
from domain.versions.record import Member, VersionRecord

PAIRS: Final = "training_pairs"
CONTEXT = 40
"""Characters before the first difference that an excerpt shows."""


class Absent(Enum):
    """A field that one side does not have, which is not the same as null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with its values before and after, either of which may be ABSENT."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PairChange:
    """A training pair that only one side has, or whose fields differ."""

    id: str
    turn_number: int
    change: Literal["added", "removed", "changed"]
    fields: Sequence[FieldChange] = ()


@dataclass(frozen=True, slots=True)
class ConversationChange:
    """A conversation whose bytes differ; without fields and pairs only the notation does."""

    conversation_id: UUID
    fields: Sequence[FieldChange]
    pairs: Sequence[PairChange]


@dataclass(frozen=True, slots=True)
class MembershipChanges:
    """Conversations that differ, told from the memberships alone; in the order of the versions."""

    added: Sequence[Member]
    removed: Sequence[Member]
    changed: Sequence[tuple[Member, Member]]
    moved: Sequence[Member]
    """Unchanged, but removed and added again, at another position."""


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """Everything that differs; `details` are of the first changed conversations."""

    before: VersionRecord
    after: VersionRecord
    members: MembershipChanges
    details: Sequence[ConversationChange] = field(default=())

    @property
    def is_identical(self) -> bool:
        one, other = self.before, self.after
        return (one.full.digest, one.lines.digest) == (other.full.digest, other.lines.digest)


def compare_members(before: Sequence[Member], after: Sequence[Member]) -> MembershipChanges:
    """Compare the memberships that only one of the two versions has."""
    then = {member.conversation_id: member for member in before}
    now = {member.conversation_id: member for member in after}
    both = [(then[id], member) for id, member in now.items() if id in then]
    return MembershipChanges(
        added=[member for id, member in now.items() if id not in then],
        removed=[member for id, member in then.items() if id not in now],
        changed=[(old, new) for old, new in both if not old.same_bytes(new)],
        moved=[n for o, n in both if o.same_bytes(n) and o.position != n.position],
    )


def compare_conversations(
    old: Member, new: Member, before: Mapping[str, Any], after: Mapping[str, Any]
) -> ConversationChange:
    """Compare two states of one conversation, as they are in the full JSON."""
    one, other = ({key: side[key] for key in side if key != PAIRS} for side in (before, after))
    fields = list(field_changes(one, other))
    if old.line_suffix != new.line_suffix:
        fields.append(FieldChange("(suffix of line ids)", old.line_suffix, new.line_suffix))
    pairs = list(_pair_changes(before[PAIRS], after[PAIRS]))
    return ConversationChange(new.conversation_id, fields, pairs)


def field_changes(before: Any, after: Any, path: str = "") -> Iterator[FieldChange]:
    """Yield the innermost fields that differ. 3 is not 3.0: a number's notation is kept."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            below = f"{path}.{shortened(key)}" if path else shortened(key)
            yield from field_changes(before.get(key, ABSENT), after.get(key, ABSENT), below)
    elif isinstance(before, list) and isinstance(after, list):
        for index, (one, other) in enumerate(zip_longest(before, after, fillvalue=ABSENT)):
            yield from field_changes(one, other, f"{path}[{index}]")
    elif type(before) is not type(after) or before != after:
        yield FieldChange(path, before, after)


def excerpts(change: FieldChange, max_length: int) -> tuple[Any, Any]:
    """Shorten long values to the place where they begin to differ; ABSENT stays."""
    before, after = change.before, change.after
    texts = [value if isinstance(value, str) else _text(value) for value in (before, after)]
    if max(map(len, texts)) <= max_length:
        return before, after
    same = next((at for at, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), None)
    start = max(0, (min(map(len, texts)) if same is None else same) - CONTEXT)
    one, other = (_excerpt(text, start, max_length) for text in texts)
    return (before if before is ABSENT else one), (after if after is ABSENT else other)


def _excerpt(text: str, start: int, max_length: int) -> str:
    head = "…" if start else ""
    tail = "…" if len(text) > start + max_length else ""
    return f"{head}{text[start : start + max_length]}{tail}"


def _text(value: Any) -> str:
    return "" if value is ABSENT else orjson.dumps(value).decode()


def _pair_changes(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[PairChange]:
    """Match pairs by id or, where ids repeat within a conversation, by their place."""
    keys = [_keys(side) for side in (before, after)]
    if None in keys:
        keys = [list(map(str, range(len(side)))) for side in (before, after)]
    then, now = (
        dict(zip(names or (), side, strict=True))
        for names, side in zip(keys, (before, after), strict=True)
    )
    for key in {**then, **now}:
        old, new = then.get(key), now.get(key)
        present = new or old or {}
        id, turn = str(present.get("id")), present.get("turn_number", 0)
        if old is None:
            yield PairChange(id, turn, "added")
        elif new is None:
            yield PairChange(id, turn, "removed")
        elif fields := list(field_changes(old, new)):
            yield PairChange(id, turn, "changed", fields)


def _keys(pairs: Sequence[Mapping[str, Any]]) -> list[str] | None:
    ids = [str(pair["id"]) for pair in pairs]
    return ids if max(Counter(ids).values(), default=0) <= 1 else None
