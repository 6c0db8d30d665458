"""A request of a trial, and what its runs answered."""

from dataclasses import dataclass, field
from uuid import UUID

from domain.versions.requests import AddRequest, RebuildRequest
from soak.worker import RequestOutcome


@dataclass
class Claim:
    """A request and the outcomes of its runs."""

    request: AddRequest | RebuildRequest
    outcomes: list[RequestOutcome] = field(default_factory=list)
    is_struck: bool = True
    """False if the trial injects no fault into the request, so that it must not fail."""

    @property
    def label(self) -> str:
        return f"request {self.request.request_id}"

    @property
    def last(self) -> RequestOutcome:
        return self.outcomes[-1]

    @property
    def ids(self) -> list[UUID]:
        return list(self.request.ids) if isinstance(self.request, AddRequest) else []
