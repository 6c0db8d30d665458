"""Plans of adds: stored once, and how far their parts are."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import Text

from db.engine import current_time
from db.schema import PlanTable, VersionTable
from domain.versions.matching import parse_conditions
from domain.versions.plans import AddPlan, PlanRequest, Proposal, part_id


def store_plan(connection: Connection, proposal: Proposal) -> None:
    """Store the proposal under its request's id, unless a plan has it already."""
    row = _row(proposal) | {"created_at": current_time(connection)}
    connection.execute(insert(PlanTable).values(row).on_conflict_do_nothing())


def find_plan(connection: Connection, id: str) -> AddPlan | None:
    query = select(PlanTable.__table__).where(PlanTable.id == id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _plan(row)


def versions_of_plan(connection: Connection, plan: AddPlan) -> Mapping[int, int]:
    """Return the number of the version that each part made, by the part's number."""
    numbers = {
        part_id(plan.request.request_id, number): number for number in range(1, plan.part_count + 1)
    }
    query = select(VersionTable.request_id, VersionTable.number).where(
        VersionTable.request_id == any_(literal(list(numbers), ARRAY(Text)))
    )
    made = {numbers[id]: version for id, version in connection.execute(query)}
    return dict(sorted(made.items()))


def _row(proposal: Proposal) -> dict[str, Any]:
    request = proposal.request
    return {
        "id": request.request_id,
        "training_file": request.name,
        "training_file_id": proposal.training_file_id,
        "conditions": list(request.matching.conditions),
        "is_new": request.new,
        "description": request.description,
        "strict": request.strict,
        "one_version": request.one_version,
        "requested_by": request.requested_by,
        "matched": proposal.matched,
        "in_file": proposal.in_file,
        "conversation_ids": list(proposal.conversation_ids),
    }


def _plan(row: RowMapping) -> AddPlan:
    request = PlanRequest(
        training_file=row["training_file"],
        matching=parse_conditions(row["conditions"]),
        new=row["is_new"],
        description=row["description"],
        strict=row["strict"],
        one_version=row["one_version"],
        requested_by=row["requested_by"],
        request_id=row["id"],
    )
    return AddPlan.model_validate({**row, "request": request})
