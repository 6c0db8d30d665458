"""The work of a rebuild: plan, compare in chunks, replace what changed."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from itertools import count
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine

from db.engine import current_time, reading
from db.gate import regate
from db.versions import commit_rebuild, find_request, find_version, members
from domain.consultant import strangers, wording_differences
from domain.eligibility import EligibleConversation
from domain.errors import (
    Blocked,
    CommitConflict,
    CommitOutcomeUnknown,
    TrainfoldError,
    Unreachable,
)
from domain.findings import Reason, VersionWarning, gather
from domain.fragment import Fragment
from domain.limits import Limits
from domain.merge import BETWEEN, Span
from domain.rebuilding import Renewed, rebuild
from domain.requests import RebuildRequest
from domain.validation import validate
from domain.verification import check
from domain.version import Member, VersionRecord
from storage.source import read_source
from storage.store import ObjectStore
from tasks.reduce import await_database, drop, pause, store_fold

THREADS = 16
"""Sources that a process reads at once, whatever the number of chunks it compares at once."""


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="source")


class _Seen(NamedTuple):
    """What became of one member's source."""

    renewed: Fragment | None
    warnings: Sequence[VersionWarning]
    reasons: Sequence[Reason]


class Plan(BaseModel):
    """What a rebuild reads: the version it starts from, its members and their sources."""

    model_config = ConfigDict(frozen=True)

    version: VersionRecord
    members: tuple[Member, ...]
    sources: tuple[EligibleConversation, ...]


class Compared(BaseModel):
    """What a chunk of members turned out to be."""

    model_config = ConfigDict(frozen=True)

    renewed: tuple[Renewed, ...]
    warnings: tuple[VersionWarning, ...]
    reasons: tuple[Reason, ...]


class Rebuilt(BaseModel):
    """How a rebuild ended: with a new version, or with the one that still holds."""

    model_config = ConfigDict(frozen=True)

    version: VersionRecord
    is_new: bool
    changed: tuple[Renewed, ...]


def make_plan(engine: Engine, request: RebuildRequest) -> VersionRecord | Plan:
    """The version that this request made already, or what is to be read.

    Raises Blocked when a member may not be in a training file any more, NotFound when there is no
    such file.
    """
    with reading(engine) as connection:
        done = find_request(connection, request)
        if done is not None:
            return done
        version = find_version(connection, request.training_file)
        held = tuple(members(connection, version))
        sources = regate(connection, request.training_file, held)
    return Plan(version=version, members=held, sources=sources)


def compare_members(
    conversations: ObjectStore,
    training_files: ObjectStore,
    version: VersionRecord,
    chunk: Sequence[tuple[Member, EligibleConversation]],
    *,
    request: RebuildRequest,
    limits: Limits,
) -> Compared:
    """Read and validate a chunk of members; keep the bytes of those that changed in the store.

    In a whole rebuild, keep those of all.
    """

    def look(member: Member, eligible: EligibleConversation) -> _Seen:
        try:
            data = read_source(conversations, eligible, most_bytes=limits.file_bytes)
            fragment = validate(data, eligible, limits=limits, strict=request.strict)
        except Blocked as blocked:
            return _Seen(None, (), blocked.reasons)
        is_renewed = request.whole or not member.same_bytes(fragment.contribution)
        differences = wording_differences(version.consultant_profile, [fragment])
        return _Seen(
            # What has not changed is let go at once.
            fragment if is_renewed else None,
            (*fragment.warnings, *differences),
            strangers(version.consultant_profile, [fragment]),
        )

    seen = list(_readers().map(look, *zip(*chunk, strict=True)))
    before = {member.conversation_id: member for member, _ in chunk}
    changed = [each.renewed for each in seen if each.renewed]
    place = f"{version.training_file_id}/rebuild-{request.request_id}.{secrets.token_hex(4)}"
    return Compared(
        renewed=_keep(training_files, place, before, changed) if changed else (),
        warnings=gather(warning for each in seen for warning in each.warnings),
        reasons=tuple(reason for each in seen for reason in each.reasons),
    )


def _keep(
    store: ObjectStore, place: str, before: Mapping[UUID, Member], changed: Sequence[Fragment]
) -> tuple[Renewed, ...]:
    """Write the changed fragments at a place of their own; they are dropped after the rebuild."""
    full, lines = f"{place}/changed.json", f"{place}/changed.jsonl"
    store.put(full, BETWEEN.join(each.full for each in changed), content_type="application/json")
    store.put(lines, b"".join(each.lines for each in changed), content_type="application/jsonl")
    renewed = []
    full_at = lines_at = 0
    for each in changed:
        full_end, lines_end = full_at + len(each.full), lines_at + len(each.lines)
        renewed.append(
            Renewed(
                before=before[each.conversation_id],
                after=each.contribution,
                full=Span(full, full_at, full_end),
                lines=Span(lines, lines_at, lines_end),
            )
        )
        full_at, lines_at = full_end + len(BETWEEN), lines_end
    return tuple(renewed)


def replace_changed(
    engine: Engine, store: ObjectStore, request: RebuildRequest, compared: Iterable[Compared]
) -> Rebuilt:
    """Make the rebuilt version; none when nothing changed. Raises as `make_version` does.

    What was added while the sources were read stays: only members that still contribute the bytes
    they were compared with are replaced.
    """
    parts = list(compared)
    found = {each.before.conversation_id: each for part in parts for each in part.renewed}
    warnings = tuple(warning for part in parts for warning in part.warnings)
    reasons = [reason for part in parts for reason in part.reasons]
    if reasons:
        _forget(store, found)
        raise Blocked(reasons)
    rebuilt = _commit_changed(engine, store, request, found, warnings)
    _forget(store, found)
    return rebuilt


def _commit_changed(
    engine: Engine,
    store: ObjectStore,
    request: RebuildRequest,
    found: Mapping[UUID, Renewed],
    warnings: tuple[VersionWarning, ...],
) -> Rebuilt:
    for attempt in count(1):
        with reading(engine) as connection:
            done = find_request(connection, request)
            version = done or find_version(connection, request.training_file)
            held = list(members(connection, version))
            now = current_time(connection)
        if done:
            return Rebuilt(version=done, is_new=True, changed=_changes(found))
        renewed = {
            member.conversation_id: change
            for member in held
            if (change := found.get(member.conversation_id)) and change.before.same_bytes(member)
        }
        if not renewed:
            return Rebuilt(version=version, is_new=False, changed=())
        folded = rebuild(version, held, renewed, warnings=warnings, now=now)
        made = store_fold(store, request, folded)
        expected = [
            renewed[m.conversation_id].member if m.conversation_id in renewed else m for m in held
        ]
        _prove(store, made, expected)
        try:
            commit_rebuild(engine, made, [change.member for change in _changes(renewed)])
        except CommitConflict:
            drop(store, made)
            pause(attempt)
        except CommitOutcomeUnknown as unknown:
            await_database(engine, unknown)
        else:
            return Rebuilt(version=made, is_new=True, changed=_changes(renewed))
    raise AssertionError  # count() does not end


def _prove(store: ObjectStore, made: VersionRecord, expected: Sequence[Member]) -> None:
    """Read both objects back before they become a version: they were pieced together from many.

    Raises Unreachable, as trying again may help.
    """
    full, lines = store.chunks(made.json_key), store.chunks(made.jsonl_key)
    wrong = next(check(made, expected, full=full, lines=lines), None)
    if wrong is not None:
        drop(store, made)
        raise Unreachable(
            f"The rebuilt objects of “{made.training_file}” are not what they must be ({wrong}). "
            "No version was recorded. If `trainfold verify` says that the current version is "
            "damaged in the store, `trainfold rebuild --whole` replaces all of it."
        )


def _changes(renewed: Mapping[UUID, Renewed]) -> tuple[Renewed, ...]:
    return tuple(each for each in renewed.values() if each.is_change)


def _forget(store: ObjectStore, found: Mapping[UUID, Renewed]) -> None:
    for key in {span.key for each in found.values() for span in (each.full, each.lines)}:
        with suppress(TrainfoldError):
            store.delete(key)
