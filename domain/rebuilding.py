"""A rebuild: changed conversations are replaced, all others spliced from the current version."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, pairwise
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain import merge
from domain.digest import OF_NOTHING, extended
from domain.findings import VersionWarning
from domain.folding import Fold
from domain.jsonl import meta_line
from domain.merge import BETWEEN, TAIL, Segment, Span
from domain.statistics import total
from domain.version import Contribution, Member, VersionRecord


class Renewed(BaseModel):
    """A member whose bytes were made anew, and where they are kept for the rebuild."""

    model_config = ConfigDict(frozen=True)

    before: Member
    after: Contribution
    full: Span
    lines: Span

    @property
    def is_change(self) -> bool:
        """False where the same bytes are only written anew."""
        return not self.before.same_bytes(self.after)

    @property
    def member(self) -> Member:
        """The member as it will be: other bytes at the old place."""
        return self.before.model_copy(
            update={name: getattr(self.after, name) for name in Contribution.model_fields}
        )


def rebuild(
    version: VersionRecord,
    members: Sequence[Member],
    renewed: Mapping[UUID, Renewed],
    *,
    warnings: tuple[VersionWarning, ...],
    now: datetime,
) -> Fold:
    """The version after `version` in which the renewed members contribute their new bytes.

    `members` are all of `version`'s, in order; those that joined since the sources were read are
    carried as they are.
    """
    current = [
        renewed[each.conversation_id].member if each.conversation_id in renewed else each
        for each in members
    ]
    statistics = total(each.statistics for each in current)
    header = merge.full_header(
        name=version.training_file,
        created=version.training_file_created_at,
        updated=now,
        statistics=statistics,
        consultant_profile=version.consultant_profile,
    )
    full = [
        renewed[each.conversation_id].full if each.conversation_id in renewed else span
        for each, span in zip(members, _full_spans(version, members), strict=True)
    ]
    lines = [
        renewed[each.conversation_id].lines if each.conversation_id in renewed else span
        for each, span in zip(members, _line_spans(version, members), strict=True)
    ]
    return Fold(
        training_file_id=version.training_file_id,
        name=version.training_file,
        number=version.number + 1,
        reason="rebuild",
        created=version.training_file_created_at,
        updated=now,
        consultant_profile=version.consultant_profile,
        statistics=statistics,
        warnings=warnings,
        contributions=tuple(each for each in current if each.conversation_id in renewed),
        full=merge.document(header, list(joined(full, BETWEEN)), TAIL),
        lines=merge.document(
            meta_line(version.training_file, statistics.examples), list(joined(lines, b"")), b""
        ),
        json_digest=extended(OF_NOTHING, (each.json_sha256 for each in current)),
        jsonl_digest=extended(OF_NOTHING, (each.jsonl_sha256 for each in current)),
    )


def joined(spans: Iterable[Span], between: bytes) -> Iterator[Segment]:
    """The spans with `between` between them; what stands together already stays one span."""
    held: Span | None = None
    for span in spans:
        if held is None:
            held = span
        elif held.key == span.key and held.end + len(between) == span.start:
            held = Span(held.key, held.start, span.end)
        else:
            yield held
            if between:
                yield between
            held = span
    if held is not None:
        yield held


def _full_spans(version: VersionRecord, members: Sequence[Member]) -> Iterator[Span]:
    """Where each member's object stands in the version's full JSON."""
    lengths = (member.json_length + len(BETWEEN) for member in members)
    starts = accumulate(lengths, initial=version.json_content_start)
    for start, following in pairwise(starts):
        yield Span(version.json_key, start, following - len(BETWEEN))


def _line_spans(version: VersionRecord, members: Sequence[Member]) -> Iterator[Span]:
    """Where each member's lines stand in the version's JSONL."""
    lengths = (member.jsonl_length for member in members)
    for start, end in pairwise(accumulate(lengths, initial=version.jsonl_content_start)):
        yield Span(version.jsonl_key, start, end)
