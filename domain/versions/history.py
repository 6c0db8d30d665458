"""Removals and rollbacks: which ones are refused, and the versions that they make."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import compress

from domain.errors import Blocked
from domain.findings import Reason
from domain.format import full_json
from domain.format.digest import EMPTY, extend
from domain.format.spans import without
from domain.statistics import VersionStatistics
from domain.versions.composing import Base, Composition, Content, compose
from domain.versions.eligibility import asker_reasons, count_reasons, id_reasons, status_reasons
from domain.versions.naming import text_problem
from domain.versions.record import BaseVersion, Footprints, Member, VersionRecord
from domain.versions.requests import (
    MAX_CONVERSATIONS,
    MAX_DESCRIPTION_LENGTH,
    RemoveRequest,
    RollbackRequest,
)


def refuse_malformed_removal(request: RemoveRequest) -> None:
    """Raise Blocked if the request as a whole is malformed; its name is looked up as it is."""
    reasons = [*asker_reasons(request), *_comment_reasons(request)]
    if not request.comment.strip():
        reasons.append(Reason(code="no-reason", reason="A removal is recorded with its reason."))
    if not request.conversation_ids:
        text = "The request names no conversation."
        reasons.append(Reason(code="nothing-to-remove", reason=text))
    reasons.extend(count_reasons(request, MAX_CONVERSATIONS))
    if reasons:
        raise Blocked([*reasons, *id_reasons(request)])


def refuse_removal(
    request: RemoveRequest, version: BaseVersion, status: str, members: Footprints
) -> None:
    """Raise Blocked with every reason why these conversations cannot leave the training file."""
    name = version.training_file
    reasons = [
        *status_reasons(name, status, "nothing can be removed from it"),
        *id_reasons(request),
    ]
    current = set(members.conversation_ids)
    named = dict.fromkeys(map(str, request.ids))
    reasons.extend(
        Reason(
            conversation_id=id,
            code="not-a-member",
            reason=f"It is not in version {version.number} of this training file.",
        )
        for id in named
        if id not in current
    )
    if not reasons and len(named) == len(current):
        text = (
            "A version holds at least one conversation, and these are all. To retire the training "
            "file, archive it: `trainfold archive FILE`."
        )
        reasons.append(Reason(code="nothing-would-be-left", reason=text))
    if reasons:
        raise Blocked(reasons)


def compose_removal(
    request: RemoveRequest,
    version: BaseVersion,
    members: Footprints,
    *,
    statistics: VersionStatistics,
    now: datetime,
    attempt: str,
) -> Composition:
    """Leave the named conversations out; those that stay keep their bytes, order and positions.

    `statistics` are those of the members that stay.
    """
    removed = set(map(str, request.ids))
    stays = [id not in removed for id in members.conversation_ids]
    gaps = [at for at, is_kept in enumerate(stays) if not is_kept]
    content = Content(
        full=without(version.full.content, members.json_lengths, gaps, full_json.BETWEEN),
        lines=without(version.lines.content, members.jsonl_lengths, gaps, b""),
        full_digest=extend(EMPTY, compress(members.json_digests, stays)),
        lines_digest=extend(EMPTY, compress(members.jsonl_digests, stays)),
        statistics=statistics,
    )
    return compose(
        replace(Base.of(version), content=content),
        (),
        request,
        reason="remove",
        ended=request.ids,
        comment=request.comment,
        now=now,
        attempt=attempt,
    )


def refuse_malformed_rollback(request: RollbackRequest) -> None:
    """Raise Blocked where the rollback is malformed; names and tags are looked up as they are."""
    reasons = [*asker_reasons(request), *_comment_reasons(request)]
    if reasons:
        raise Blocked(reasons)


def refuse_rollback(version: BaseVersion, status: str, target: VersionRecord) -> None:
    """Raise Blocked if the training file is not active, or already has the target's content."""
    name = version.training_file
    reasons = list(status_reasons(name, status, "it cannot be rolled back"))
    if _digests(version) == _digests(target):
        what = (
            "is the current version"
            if target.number == version.number
            else f"has the same content as the current version {version.number}"
        )
        text = f"Version {target.number} of “{name}” {what}; there is nothing to roll back."
        reasons.append(Reason(code="nothing-to-roll-back", reason=text))
    if reasons:
        raise Blocked(reasons)


def compose_rollback(
    request: RollbackRequest,
    version: BaseVersion,
    target: VersionRecord,
    *,
    leaving: Sequence[Member],
    returning: Sequence[Member],
    now: datetime,
    attempt: str,
) -> Composition:
    """Bring back the target's content, in one piece of each of its objects.

    `leaving` are the memberships of the current version that the target does not have, `returning`
    those of the target that the current version does not have. A conversation in both, with the
    same bytes at the same position, keeps its membership. All others of the target begin again at
    the positions that they had: these are unique, because all of the target's members once were
    current together.
    """
    now_there = {member.conversation_id: member for member in leaving}
    begun = [m for m in returning if not _is_same(m, now_there.get(m.conversation_id))]
    then = {member.conversation_id: member for member in returning}
    ended = [m for m in leaving if not _is_same(m, then.get(m.conversation_id))]
    composition = compose(
        replace(Base.of(version), content=Content.of(target)),
        (),
        request,
        reason="rollback",
        ended=tuple(member.conversation_id for member in ended),
        comment=request.comment,
        restores=target.number,
        now=now,
        attempt=attempt,
    )
    number = composition.version.number
    returned = tuple(member.model_copy(update={"added_in": number}) for member in begun)
    return replace(composition, returned=returned)


def _is_same(member: Member, other: Member | None) -> bool:
    return (
        other is not None
        and member.position == other.position
        and member.same_bytes(other)
        and member.line_suffix == other.line_suffix
    )


def _digests(version: BaseVersion) -> tuple[str, str]:
    return version.full.digest, version.lines.digest


def _comment_reasons(request: RemoveRequest | RollbackRequest) -> Iterator[Reason]:
    problem = text_problem(request.comment, max_length=MAX_DESCRIPTION_LENGTH, line_breaks=True)
    if problem:
        yield Reason(code="bad-reason", reason=f"The reason cannot be kept: {problem}.")
