"""Plan to add all conversations that match: propose, store, and follow a plan."""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine

from db.engine import reading, writing
from db.plans import find_plan, store_plan, versions_of_plan
from db.visibility import hidden_rows
from domain.errors import AccessRefused, Blocked, NotFound
from domain.findings import Reason
from domain.versions.eligibility import admit, asker_reasons, refuse_malformed
from domain.versions.naming import can_be_stored
from domain.versions.plans import (
    MAX_PLAN_ID_LENGTH,
    MAX_PLANNED,
    AddPlan,
    PlanProgress,
    PlanRequest,
    Proposal,
    require_same_plan,
)
from domain.versions.requests import AddRequest
from operations.admission import visible_facts
from operations.log import refusals_recorded
from operations.matching import find_matching


def propose(engine: Engine, request: PlanRequest) -> Proposal:
    """Find what matches and ask the gate about all of it; change nothing.

    Conversations that the training file holds already are left out and counted. Raises Blocked
    with the reasons of all others that cannot be added, NotFound where nothing matches.
    """
    reasons = list(_form_reasons(request))
    if reasons:
        raise Blocked(reasons)
    with reading(engine) as connection:
        matched = find_matching(connection, request.matching, limit=MAX_PLANNED + 1)
        if not matched:
            raise _nothing_matches(connection, request)
        # A malformed name or text is refused before the query that looks it up.
        refuse_malformed(_whole(request, matched), max_conversations=MAX_PLANNED)
        training_file, facts = visible_facts(connection, request.name, matched)
    held = {id for id, fact in facts.items() if fact.member_since is not None}
    # For a new file none is left out: that its name is taken is a reason of the gate.
    ids = tuple(id for id in matched if request.new or id not in held)
    if ids:
        admit(_whole(request, ids), training_file, facts)
    return Proposal(
        request=request,
        matched=len(matched),
        in_file=len(matched) - len(ids),
        conversation_ids=ids,
        training_file_id=training_file.current.training_file_id if training_file else None,
    )


def make_plan(engine: Engine, request: PlanRequest) -> AddPlan:
    """Store the plan that the request proposes, or return the one that it made before.

    Raises what `propose` raises, and Blocked where its id belongs to another plan.
    """
    with refusals_recorded(engine, request, request.action):
        with reading(engine) as connection:
            stored = find_plan(connection, request.request_id)
        if stored is None:
            proposal = propose(engine, request)
            with writing(engine) as connection:
                store_plan(connection, proposal)
                stored = find_plan(connection, request.request_id)
            assert stored is not None  # noqa: S101 - this or another transaction stored it
        require_same_plan(request, stored)
    return stored.model_copy(
        update={"request": stored.request.model_copy(update={"run_id": request.run_id})}
    )


def plan_progress(engine: Engine, id: str) -> PlanProgress:
    """Return a stored plan and what its parts have made; raises NotFound."""
    with reading(engine) as connection:
        plan = find_plan(connection, id) if can_be_stored(id) else None
        if plan is None:
            raise NotFound(
                f"There is no plan {id[:MAX_PLAN_ID_LENGTH]!r}. Nothing was changed. "
                "`trainfold add FILE --where …` makes one and prints its id."
            )
        return PlanProgress(plan=plan, versions=versions_of_plan(connection, plan))


def _form_reasons(request: PlanRequest) -> Iterator[Reason]:
    yield from asker_reasons(request)
    if len(request.request_id) > MAX_PLAN_ID_LENGTH:
        reason = f"A plan's id has at most {MAX_PLAN_ID_LENGTH} characters; its parts extend it."
        yield Reason(code="bad-request-id", reason=reason)


def _whole(request: PlanRequest, ids: object) -> AddRequest:
    """Return all that the plan adds as one request, for the gate to judge."""
    values = request.model_dump(exclude={"matching", "one_version"})
    return AddRequest.model_validate({**values, "conversation_ids": ids})


def _nothing_matches(connection: Connection, request: PlanRequest) -> Exception:
    if explanation := hidden_rows(connection):
        return AccessRefused(explanation)
    conditions = ", ".join(request.matching.conditions) or "no condition"
    return NotFound(
        f"No conversation matches {conditions}. Nothing was changed. `trainfold conversations` "
        "lists what there is."
    )
