"""Compose the version of an add and of a rebuild."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from domain.errors import Blocked
from domain.findings import VersionWarning, gather
from domain.format.fragment import Contribution, Fragment
from domain.format.spans import Segment, Span
from domain.frozen import FrozenModel
from domain.versions.composing import Base, Composition, Content, Placed, compose, placed_members
from domain.versions.consultant import strangers, wording_differences
from domain.versions.eligibility import Admission
from domain.versions.record import BaseVersion, Member
from domain.versions.requests import AddRequest, RebuildRequest
from domain.versions.strictness import Strictness, refusals


def compose_add(
    request: AddRequest,
    admission: Admission,
    fragments: Sequence[Fragment],
    *,
    new_id: UUID,
    now: datetime,
    attempt: str,
) -> Composition:
    """Add `fragments`, which are in the order of the admission, to a training file or a new one.

    `new_id` becomes the training file's when the request creates one. Raises Blocked for
    conversations of another consultant, in a strict request for a profile worded differently, and
    for damage where the file has come to refuse it since the fragments were read.
    """
    labelled = [
        fragment.relabelled(conversation.line_suffix)
        for fragment, conversation in zip(fragments, admission.conversations, strict=True)
    ]
    pieces = [Piece(f, f.contribution, f.full, f.lines) for f in labelled]
    return compose_pieces(request, admission, pieces, new_id=new_id, now=now, attempt=attempt)


class Piece(NamedTuple):
    """A conversation to add, and where its bytes are, with the labels that its lines have."""

    fragment: Fragment
    """Without its bytes, where they are in the store."""
    contribution: Contribution
    full: Segment
    lines: Segment


def compose_pieces(
    request: AddRequest,
    admission: Admission,
    pieces: Sequence[Piece],
    *,
    new_id: UUID,
    now: datetime,
    attempt: str,
) -> Composition:
    """Do what `compose_add` does with conversations wherever their bytes are."""
    file = admission.training_file
    fragments = [piece.fragment for piece in pieces]
    base = (
        Base.of(file.current)
        if file
        else Base(new_id, request.name, now, fragments[0].consultant_profile, 0, Content())
    )
    first = file.last_position + 1 if file else 1
    composition = compose(
        base,
        [
            Placed(_member(piece.contribution, position, base.following), piece.full, piece.lines)
            for position, piece in enumerate(pieces, first)
        ],
        request,
        reason="add" if file else "create",
        warnings=_warnings_of_add(
            admission.strictness(request), base.consultant_profile, fragments
        ),
        now=now,
        attempt=attempt,
    )
    return replace(composition, description=request.description)


class Renewed(FrozenModel):
    """A member whose bytes were rendered again, and where they are stored for the rebuild."""

    before: Member
    after: Contribution
    full: Span
    lines: Span

    @property
    def is_change(self) -> bool:
        """Tell whether the bytes differ, and are not only written again."""
        return not self.before.same_bytes(self.after)


def compose_rebuild(
    request: RebuildRequest,
    version: BaseVersion,
    members: Sequence[Member],
    renewed: Mapping[UUID, Renewed],
    *,
    warnings: tuple[VersionWarning, ...],
    now: datetime,
    attempt: str,
) -> Composition:
    """Replace the renewed members of `version` by their new bytes, each at its old position.

    `members` are all of the version's, in order; those that joined since the sources were read are
    carried as they are, and warnings about those that left since are dropped.
    """
    present = {str(member.conversation_id) for member in members}
    base = replace(Base.of(version), content=Content())

    def renew(placed: Placed) -> Placed:
        member = placed.member
        change = renewed.get(member.conversation_id)
        if change is None:
            return placed
        if change.is_change:
            member = _member(change.after, member.position, base.following)
        return Placed(member, change.full, change.lines)

    return compose(
        base,
        [renew(placed) for placed in placed_members(version, members)],
        request,
        reason="rebuild",
        ended=tuple(id for id, change in renewed.items() if change.is_change),
        warnings=tuple(w for w in warnings if w.conversation_id in present),
        now=now,
        attempt=attempt,
    )


def _warnings_of_add(
    strictness: Strictness, profile: Mapping[str, Any], fragments: Sequence[Fragment]
) -> tuple[VersionWarning, ...]:
    others = strangers(profile, fragments)
    differences = wording_differences(profile, fragments)
    warnings = gather([*(w for fragment in fragments for w in fragment.warnings), *differences])
    others.extend(refusals(warnings, strictness))
    if others:
        raise Blocked(others)
    return warnings


def _member(contribution: Contribution, position: int, added_in: int) -> Member:
    fields = {name: getattr(contribution, name) for name in Contribution.model_fields}
    return Member(**fields, position=position, added_in=added_in)
