"""A plan: which conversations to add, fixed when it is made, in parts that are requests each."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.errors import Blocked
from domain.findings import Reason
from domain.frozen import FrozenModel
from domain.versions.matching import Matching
from domain.versions.naming import MAX_REQUEST_ID_LENGTH, name_key
from domain.versions.requests import MAX_CONVERSATIONS, AddRequest, VersionRequest, digest_of

MAX_PLANNED = 100_000
"""Conversations in one plan: their ids are one row of a table, and one parameter of the gate."""
MAX_PLAN_ID_LENGTH = MAX_REQUEST_ID_LENGTH - len("-0000")


class PlanRequest(VersionRequest):
    """Add all conversations that match and that the training file does not hold."""

    matching: Matching
    new: bool = False
    description: str = ""
    one_version: bool = False
    """Make one version with all, and not one for each MAX_CONVERSATIONS."""

    @property
    def action(self) -> str:
        return "create" if self.new else "add"

    @property
    def digest(self) -> str:
        values = [name_key(self.name), self.new, self.one_version, *self.matching.conditions]
        return digest_of(["plan", *values])


class Proposal(FrozenModel):
    """What a request for a plan finds now; nothing is stored."""

    request: PlanRequest
    matched: int
    in_file: int
    """Conversations that match, and that the training file holds already."""
    conversation_ids: tuple[UUID, ...]
    """The others, oldest first."""
    training_file_id: UUID | None
    """None where the plan creates the training file."""

    @property
    def part_size(self) -> int:
        return max(1, len(self.conversation_ids)) if self.request.one_version else MAX_CONVERSATIONS

    @property
    def part_count(self) -> int:
        return -(-len(self.conversation_ids) // self.part_size)

    def size_of(self, number: int) -> int:
        """Return how many conversations a part has."""
        return min(self.part_size, len(self.conversation_ids) - (number - 1) * self.part_size)


class AddPlan(Proposal):
    """A stored plan; its request's id is the plan's."""

    created_at: datetime

    @property
    def parts(self) -> Iterator[AddRequest]:
        """Build the requests that the plan consists of, in order."""
        return map(self.part, range(1, self.part_count + 1))

    def part(self, number: int) -> AddRequest:
        """Build one of them, by its number from 1; a repeated one is idempotent."""
        asked, size = self.request, self.part_size
        return AddRequest(
            training_file=asked.training_file,
            conversation_ids=self.conversation_ids[(number - 1) * size : number * size],
            new=asked.new and number == 1,
            description=asked.description if number == 1 else "",
            strict=asked.strict,
            requested_by=asked.requested_by,
            request_id=part_id(asked.request_id, number),
            run_id=asked.run_id,
        )


class PlanProgress(FrozenModel):
    """A plan, and the versions that its parts have made so far."""

    plan: AddPlan
    versions: Mapping[int, int]
    """The version's number by the part's."""

    @property
    def is_done(self) -> bool:
        return len(self.versions) == self.plan.part_count

    @property
    def added(self) -> int:
        """Return how many conversations were added."""
        return sum(self.plan.size_of(number) for number in self.versions)


def part_id(plan_id: str, number: int) -> str:
    """Return the request id of a plan's part, which is the same however often it is resumed."""
    return f"{plan_id}-{number:04d}"


def require_same_plan(request: PlanRequest, stored: AddPlan) -> None:
    """Raise Blocked if the request's id is another plan's."""
    if stored.request.digest != request.digest:
        reason = (
            f"The request id {request.request_id} was used for a different plan, on "
            f"“{stored.request.name}”. Nothing was changed. Use a new request id."
        )
        raise Blocked([Reason(code="request-id-reused", reason=reason)])


def stopped_at(number: int, plan: AddPlan, made: Sequence[int]) -> Reason:
    """Say where a plan of several parts stopped, and how it goes on."""
    parts = plan.part_count
    before = f"{len(made)} of them made a version before and stay" if made else "None made one"
    return Reason(
        code="plan-stopped",
        reason=f"Part {number} of {parts} stopped the plan {plan.request.request_id}. {before}; "
        "nothing was written of this part and those after it. When its conversations are "
        f"corrected, `trainfold add --resume {plan.request.request_id}` goes on; a new plan finds "
        "anew which conversations match.",
    )
