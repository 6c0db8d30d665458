"""Compose a version: an ordered list of members, each a range of a stored object or new bytes.

Content that a version keeps is referred to, never parsed or rendered again, so adding A and then B
gives the same content bytes as adding A+B at once (invariant 7), and the cost of an add does not
depend on what the file already holds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import accumulate, pairwise
from typing import Any, NamedTuple
from uuid import UUID

from domain.findings import VersionWarning
from domain.format import digest, full_json, jsonl
from domain.format.digest import extend
from domain.format.spans import Document, Segment, Span, document, splice
from domain.statistics import VersionStatistics, total
from domain.versions.naming import version_key
from domain.versions.record import BaseVersion, Member, StoredObject, VersionRecord
from domain.versions.requests import VersionRequest


class Placed(NamedTuple):
    """A member of the new version, and where its bytes in both objects come from."""

    member: Member
    full: Segment
    lines: Segment


@dataclass(frozen=True, slots=True)
class Content:
    """Conversations in order: their bytes, the hash chains over them, their statistics."""

    full: tuple[Segment, ...] = ()
    lines: tuple[Segment, ...] = ()
    full_digest: str = digest.EMPTY
    lines_digest: str = digest.EMPTY
    statistics: VersionStatistics | None = None

    @classmethod
    def of(cls, version: BaseVersion) -> "Content":
        """Return the content of a version, as one range of each object."""
        return cls(
            full=(version.full.content,),
            lines=(version.lines.content,),
            full_digest=version.full.digest,
            lines_digest=version.lines.digest,
            statistics=version.statistics,
        )

    def followed_by(self, placed: Sequence[Placed]) -> "Content":
        if not placed:
            return self
        members = [part.member for part in placed]
        return Content(
            full=splice([*self.full, *(part.full for part in placed)], full_json.BETWEEN),
            lines=splice([*self.lines, *(part.lines for part in placed)], b""),
            full_digest=extend(self.full_digest, (member.json_sha256 for member in members)),
            lines_digest=extend(self.lines_digest, (member.jsonl_sha256 for member in members)),
            statistics=total((member.statistics for member in members), self.statistics),
        )


@dataclass(frozen=True, slots=True)
class Base:
    """A training file, and what the composed version keeps of its current version in one piece."""

    training_file_id: UUID
    name: str
    created_at: datetime
    consultant_profile: Mapping[str, Any]
    number: int
    """0 where there is no version yet."""
    content: Content

    @property
    def following(self) -> int:
        """Return the number of the version that is composed on this base."""
        return self.number + 1

    @classmethod
    def of(cls, version: BaseVersion) -> "Base":
        return cls(
            training_file_id=version.training_file_id,
            name=version.training_file,
            created_at=version.training_file_created_at,
            consultant_profile=version.consultant_profile,
            number=version.number,
            content=Content.of(version),
        )


@dataclass(frozen=True, slots=True)
class Composition:
    """A version that is ready to be stored and committed."""

    version: VersionRecord
    full: Document
    lines: Document
    placed: tuple[Member, ...]
    """The members after those that the base keeps in one piece: all of them, if it keeps none."""
    ended: tuple[UUID, ...]
    """Conversations whose earlier membership ends with this version."""
    returned: tuple[Member, ...] = ()
    """Members whose bytes are in what the base keeps, and whose membership begins again."""
    description: str = ""
    """Of the training file, where the version creates it."""
    run_id: str | None = None
    """The flow run that makes the version, for the log."""

    @property
    def begun(self) -> tuple[Member, ...]:
        """Return the members whose membership begins with this version."""
        placed = (member for member in self.placed if member.added_in == self.version.number)
        return (*placed, *self.returned)


def compose(
    base: Base,
    members: Sequence[Placed],
    request: VersionRequest,
    *,
    reason: str,
    ended: tuple[UUID, ...] = (),
    warnings: tuple[VersionWarning, ...] = (),
    comment: str = "",
    restores: int | None = None,
    now: datetime,
    attempt: str,
) -> Composition:
    """Compose the version that holds the base's content, and then `members` in their order.

    `attempt` tells this try from every other, so that no two writers share a key (invariant 3).
    """
    content = base.content.followed_by(members)
    statistics = content.statistics
    assert statistics is not None  # noqa: S101 - a version holds at least one conversation
    header = full_json.header(
        name=base.name,
        created=base.created_at,
        updated=now,
        statistics=statistics,
        consultant_profile=base.consultant_profile,
    )
    full = document(header, content.full, full_json.TAIL)
    lines = document(jsonl.meta_line(base.name, statistics.examples), content.lines, b"")
    key = partial(
        version_key,
        base.training_file_id,
        base.following,
        request_id=request.request_id,
        attempt=attempt,
    )
    version = VersionRecord(
        training_file_id=base.training_file_id,
        training_file=base.name,
        training_file_created_at=base.created_at,
        consultant_profile=dict(base.consultant_profile),
        number=base.following,
        file_name=base.name,
        statistics=statistics,
        full=_stored(key(format="json"), full, content.full_digest),
        lines=_stored(key(format="jsonl"), lines, content.lines_digest),
        request_id=request.request_id,
        request_digest=request.digest,
        reason=reason,
        created_at=now,
        created_by=request.requested_by,
        conversation_count=statistics.conversations,
        pair_count=statistics.pairs,
        example_count=statistics.examples,
        warnings=warnings,
        comment=comment,
        restores=restores,
    )
    placed = tuple(part.member for part in members)
    return Composition(version, full, lines, placed, ended, run_id=request.run_id)


def placed_members(version: BaseVersion, members: Sequence[Member]) -> Iterator[Placed]:
    """Find each member's bytes in the version's objects; `members` are all of it, in order."""
    full = _ranges(version.full, [member.json_length for member in members], full_json.BETWEEN)
    lines = _ranges(version.lines, [member.jsonl_length for member in members], b"")
    return map(Placed, members, full, lines)


def _ranges(stored: StoredObject, lengths: Iterable[int], separator: bytes) -> Iterator[Span]:
    steps = (length + len(separator) for length in lengths)
    for start, following in pairwise(accumulate(steps, initial=stored.content_start)):
        yield Span(stored.key, start, following - len(separator))


def _stored(key: str, document: Document, digest: str) -> StoredObject:
    return StoredObject(
        key=key,
        size_bytes=document.size_bytes,
        digest=digest,
        content_start=document.content_start,
        content_end=document.content_end,
    )
