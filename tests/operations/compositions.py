"""Compositions for tests of the commit: of new files, of adds, of rebuilds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from domain.format.fragment import Fragment
from domain.format.spans import Span
from domain.versions.changes import Renewed, compose_add, compose_rebuild
from domain.versions.composing import Composition
from domain.versions.eligibility import TrainingFileFacts, admit
from domain.versions.record import Member, VersionRecord
from domain.versions.requests import AddRequest, RebuildRequest
from soak.building import conversation
from tests.domain.making import facts, fragment_of


def fragment(id: UUID, **changes: Any) -> Fragment:
    return fragment_of(conversation(id, **changes), id)


def add(
    name: str,
    ids: Sequence[UUID],
    *,
    base: VersionRecord | None = None,
    members: Sequence[Member] = (),
    now: datetime,
    request_id: str | None = None,
) -> Composition:
    """Add conversations to a base, or create the file with them."""
    request = AddRequest(
        training_file=name,
        conversation_ids=tuple(ids),
        new=base is None,
        requested_by="a test",
        request_id=request_id or str(uuid4()),
    )
    last = members[-1].position if members else 0
    file = TrainingFileFacts(status="active", current=base, last_position=last) if base else None
    admission = admit(request, file, {id: facts(id) for id in ids})
    return compose_add(
        request,
        admission,
        [fragment(id) for id in ids],
        new_id=uuid4(),
        now=now,
        attempt=uuid4().hex[:8],
    )


def rebuild(
    version: VersionRecord, members: Sequence[Member], changed: UUID, *, now: datetime
) -> Composition:
    """Give one conversation other bytes, which are kept nowhere: only records are looked at."""
    after = fragment(changed, turns=6).contribution
    (before,) = [member for member in members if member.conversation_id == changed]
    renewed = Renewed(
        before=before,
        after=after,
        full=Span("kept.json", 0, after.json_length),
        lines=Span("kept.jsonl", 0, after.jsonl_length),
    )
    request = RebuildRequest(
        training_file=version.training_file, requested_by="a test", request_id=str(uuid4())
    )
    return compose_rebuild(
        request, version, members, {changed: renewed}, warnings=(), now=now, attempt="0"
    )
