"""Carry out a plan's parts: read the sources of one, then make its version."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Engine

from db.engine import reading
from db.plans import versions_of_plan
from domain.errors import Blocked, PlanStopped
from domain.findings import Reason
from domain.format.fragment import Fragment
from domain.format.jsonl import line_suffix
from domain.source.limits import Limits
from domain.versions.eligibility import EligibleConversation, eligible_source
from domain.versions.plans import AddPlan, stopped_at
from domain.versions.record import VersionRecord
from domain.versions.strictness import Strictness, strictness_of
from operations.add import make_version
from operations.admission import version_made_by, visible_facts
from operations.log import refusals_recorded
from operations.reading import read_fragments
from storage.store import ObjectStore


def read_part(
    engine: Engine, conversations: ObjectStore, plan: AddPlan, number: int, *, limits: Limits
) -> VersionRecord | list[Fragment]:
    """Read a part's sources, or return the version that it made before.

    Parts may be read ahead of those before them: whether this one may be added is asked when its
    version is made. Raises PlanStopped with every reason of its files.
    """
    request = plan.part(number)
    with _stopping(engine, plan, number):
        with reading(engine) as connection:
            if made := version_made_by(connection, request):
                return made
        return read_sources(engine, conversations, plan, request.ids, limits=limits)


def read_sources(
    engine: Engine,
    conversations: ObjectStore,
    plan: AddPlan,
    ids: Sequence[UUID],
    *,
    limits: Limits,
) -> list[Fragment]:
    """Read some of a plan's conversations; raise Blocked with every reason."""
    sources, strictness = _sources(engine, plan, ids)
    fragments, reasons = read_fragments(
        conversations, sources, limits=limits, strictness=strictness
    )
    if reasons:
        raise Blocked(reasons)
    return fragments


def make_part(
    engine: Engine,
    store: ObjectStore,
    plan: AddPlan,
    number: int,
    fragments: Sequence[Fragment],
) -> VersionRecord:
    """Make a part's version, or return the one that it made before; those before it are made.

    Raises PlanStopped where the gate refuses it, and what `make_version` raises.
    """
    request = plan.part(number)
    with _stopping(engine, plan, number):
        return make_version(
            engine,
            store,
            request,
            fragments,
            training_file_id=training_file_of(engine, plan, number),
        )


def training_file_of(engine: Engine, plan: AddPlan, number: int) -> UUID | None:
    """Return the training file that a part extends; None for the part that creates it."""
    if plan.training_file_id or number == 1:
        return plan.training_file_id
    with reading(engine) as connection:
        first = version_made_by(connection, plan.part(1))
    return first.training_file_id if first else None


@contextmanager
def _stopping(engine: Engine, plan: AddPlan, number: int) -> Iterator[None]:
    """Record what a part refuses, and say which parts stay."""
    request = plan.part(number)
    try:
        with refusals_recorded(engine, request, request.action):
            yield
    except Blocked as blocked:
        if plan.part_count == 1:
            raise
        with reading(engine) as connection:
            made = versions_of_plan(connection, plan)
        raise PlanStopped([stopped_at(number, plan, list(made)), *blocked.reasons]) from blocked


def _sources(
    engine: Engine, plan: AddPlan, ids: Sequence[UUID]
) -> tuple[list[EligibleConversation], Strictness]:
    with reading(engine) as connection:
        training_file, facts = visible_facts(connection, plan.request.name, ids)
    sources: list[EligibleConversation] = []
    reasons: list[Reason] = []
    for id in ids:
        try:
            source = eligible_source(id, facts.get(id))
        except Blocked as blocked:
            reasons.extend(blocked.reasons)
        else:
            # Most often what the gate gives in the end; lines are rendered anew where it does not.
            sources.append(source.model_copy(update={"line_suffix": line_suffix(id, ())}))
    if reasons:
        raise Blocked(reasons)
    refuses_damage = training_file is not None and training_file.refuses_damage
    return sources, strictness_of(strict=plan.request.strict, refuses_damage=refuses_damage)
