"""Rebuild a training file: plan, compare the sources in chunks, replace changed members."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Engine

from db.commit import PostgresVersionLog
from db.engine import current_time, reading
from db.file_life import find_refuses_damage
from db.versions import find_version, members, no_training_file
from domain.errors import TEMPORARY, Blocked, TrainfoldError
from domain.findings import Reason, VersionWarning, gather
from domain.format import CONTENT_TYPES
from domain.format.fragment import Fragment
from domain.format.full_json import BETWEEN
from domain.format.spans import Span
from domain.frozen import FrozenModel
from domain.source.checking import capped
from domain.source.limits import Limits
from domain.versions.changes import Renewed, compose_rebuild
from domain.versions.composing import Composition
from domain.versions.consultant import strangers, wording_differences
from domain.versions.eligibility import EligibleConversation, refuse_malformed_rebuild
from domain.versions.naming import normal_name, rebuild_key
from domain.versions.record import Member, VersionRecord
from domain.versions.requests import RebuildRequest
from domain.versions.strictness import refusals, strictness_of
from operations.admission import readmit_members, require_still_named, version_made_by
from operations.committing import commit_version
from operations.reading import read_fragment
from storage.store import ObjectStore

THREADS = 16
"""Sources that a process reads concurrently, however many chunks it compares concurrently."""


class RebuildPlan(FrozenModel):
    """The version that a rebuild starts from, its members and their sources."""

    version: VersionRecord
    members: tuple[Member, ...]
    sources: tuple[EligibleConversation, ...]
    refuses_damage: bool = False


class Comparison(FrozenModel):
    """The result of comparing a chunk of members with their sources."""

    training_file_id: UUID
    renewed: tuple[Renewed, ...]
    warnings: tuple[VersionWarning, ...]
    reasons: tuple[Reason, ...]
    damaged: tuple[UUID, ...] = ()
    """Members with damaged text in a file that refuses it, unchanged since they were added."""


class Rebuilt(FrozenModel):
    """The outcome of a rebuild: a new version, or the current one if nothing changed."""

    version: VersionRecord
    is_new: bool
    changed: tuple[Renewed, ...]
    damaged: tuple[UUID, ...] = ()
    """Of a file that refuses damaged text: conversations that have some, and had it before."""


class _Compared(NamedTuple):
    """The result of comparing one member with its source."""

    renewed: Fragment | None
    warnings: Sequence[VersionWarning]
    reasons: Sequence[Reason]
    damaged: bool = False


def make_plan(engine: Engine, request: RebuildRequest) -> VersionRecord | RebuildPlan:
    """Return the version that this request already made, or the plan of the rebuild.

    Raises Blocked if the request is malformed, the training file is not active or a member may
    not be in it any more, NotFound if there is no such file.
    """
    refuse_malformed_rebuild(request)
    with reading(engine) as connection:
        if made := version_made_by(connection, request):
            return made
        version = find_version(connection, request.training_file)
        current = tuple(members(connection, version))
        sources = readmit_members(
            connection, request.training_file, current, training_file_id=version.training_file_id
        )
        _, refuses_damage = find_refuses_damage(connection, request.training_file)
    return RebuildPlan(
        version=version, members=current, sources=sources, refuses_damage=refuses_damage
    )


def compare_members(
    conversations: ObjectStore,
    training_files: ObjectStore,
    version: VersionRecord,
    chunk: Sequence[tuple[Member, EligibleConversation]],
    *,
    request: RebuildRequest,
    limits: Limits,
    refuses_damage: bool = False,
) -> Comparison:
    """Read and validate a chunk of members; store the fragments of those that changed.

    In a whole rebuild, store all fragments. Where the file refuses damaged text, a changed member
    that has some is a reason; one that has not changed is in the file, and only reported.
    """
    strictness = strictness_of(strict=request.strict, refuses_damage=False)

    def compare(member: Member, eligible: EligibleConversation) -> _Compared:
        try:
            fragment = read_fragment(conversations, eligible, limits=limits, strictness=strictness)
        except Blocked as blocked:
            return _Compared(None, (), blocked.reasons)
        is_change = not member.same_bytes(fragment.contribution)
        damage = refusals(fragment.warnings, "damage") if refuses_damage else []
        differences = wording_differences(version.consultant_profile, [fragment])
        return _Compared(
            # Unchanged fragments are released at once, so memory holds only a chunk's changed ones.
            fragment if request.whole or is_change else None,
            (*fragment.warnings, *differences),
            (
                *strangers(version.consultant_profile, [fragment]),
                *(capped(damage, limits) if is_change else ()),
            ),
            damaged=bool(damage) and not is_change,
        )

    compared = list(_readers().map(compare, *zip(*chunk, strict=True)))
    before = {member.conversation_id: member for member, _ in chunk}
    changed = [result.renewed for result in compared if result.renewed]
    place = partial(
        rebuild_key,
        version.training_file_id,
        request_id=request.request_id,
        attempt=secrets.token_hex(4),
    )
    return Comparison(
        training_file_id=version.training_file_id,
        renewed=_store(training_files, place, before, changed) if changed else (),
        warnings=gather(warning for result in compared for warning in result.warnings),
        reasons=tuple(reason for result in compared for reason in result.reasons),
        damaged=tuple(
            member.conversation_id
            for (member, _), result in zip(chunk, compared, strict=True)
            if result.damaged
        ),
    )


def replace_changed(
    engine: Engine,
    store: ObjectStore,
    request: RebuildRequest,
    comparisons: Iterable[Comparison],
) -> Rebuilt:
    """Make the rebuilt version, unless nothing changed. Raises what `commit_version` raises.

    Conversations that were added meanwhile are kept: only members that still have the bytes that
    were compared are replaced.
    """
    parts = list(comparisons)
    renewed = {change.before.conversation_id: change for part in parts for change in part.renewed}
    warnings = tuple(warning for part in parts for warning in part.warnings)
    reasons = [reason for part in parts for reason in part.reasons]
    id = parts[0].training_file_id
    try:
        if reasons:
            raise Blocked(reasons)
        rebuilt = _commit(engine, store, request, renewed, warnings, training_file_id=id)
    except TEMPORARY:
        # The task is retried, with the stored fragments.
        raise
    except TrainfoldError:
        _delete_fragments(store, renewed)
        raise
    _delete_fragments(store, renewed)
    damaged = tuple(id for part in parts for id in part.damaged)
    return rebuilt.model_copy(update={"damaged": damaged})


def _commit(
    engine: Engine,
    store: ObjectStore,
    request: RebuildRequest,
    renewed: Mapping[UUID, Renewed],
    warnings: tuple[VersionWarning, ...],
    *,
    training_file_id: UUID,
) -> Rebuilt:
    def propose() -> Composition | Rebuilt:
        with reading(engine) as connection:
            made = version_made_by(connection, request)
            if made:
                return Rebuilt(version=made, is_new=True, changed=_changes(renewed))
            require_still_named(connection, normal_name(request.training_file), training_file_id)
            version = find_version(connection, request.training_file)
            if version.training_file_id != training_file_id:
                raise no_training_file(connection, request.training_file)
            current = list(members(connection, version))
            # Without members this only checks that the file is still active.
            readmit_members(
                connection, request.training_file, (), training_file_id=training_file_id
            )
            now = current_time(connection)
        still = {
            member.conversation_id: change
            for member in current
            if (change := renewed.get(member.conversation_id)) and change.before.same_bytes(member)
        }
        if not still:
            return Rebuilt(version=version, is_new=False, changed=())
        return compose_rebuild(
            request,
            version,
            current,
            still,
            warnings=warnings,
            now=now,
            attempt=secrets.token_hex(4),
        )

    outcome = commit_version(PostgresVersionLog(engine), store, propose, read_back=True)
    if isinstance(outcome, Rebuilt):
        return outcome
    ended = set(outcome.ended)
    changed = {id: change for id, change in renewed.items() if id in ended}
    return Rebuilt(version=outcome.version, is_new=True, changed=_changes(changed))


def _store(
    store: ObjectStore,
    place: Callable[..., str],
    before: Mapping[UUID, Member],
    changed: Sequence[Fragment],
) -> tuple[Renewed, ...]:
    """Write the changed fragments to temporary objects, which are deleted after the rebuild."""
    full, lines = place(format="json"), place(format="jsonl")
    store.put(full, BETWEEN.join(f.full for f in changed), content_type=CONTENT_TYPES["json"])
    store.put(lines, b"".join(f.lines for f in changed), content_type=CONTENT_TYPES["jsonl"])
    renewed = []
    full_at = lines_at = 0
    for fragment in changed:
        full_end, lines_end = full_at + len(fragment.full), lines_at + len(fragment.lines)
        renewed.append(
            Renewed(
                before=before[fragment.conversation_id],
                after=fragment.contribution,
                full=Span(full, full_at, full_end),
                lines=Span(lines, lines_at, lines_end),
            )
        )
        full_at, lines_at = full_end + len(BETWEEN), lines_end
    return tuple(renewed)


def _changes(renewed: Mapping[UUID, Renewed]) -> tuple[Renewed, ...]:
    return tuple(change for change in renewed.values() if change.is_change)


def _delete_fragments(store: ObjectStore, renewed: Mapping[UUID, Renewed]) -> None:
    spans = (span for change in renewed.values() for span in (change.full, change.lines))
    for key in {span.key for span in spans}:
        with suppress(TrainfoldError):
            store.delete(key)


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="source")
