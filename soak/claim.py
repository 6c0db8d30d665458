"""A request of a trial, and what its runs answered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.versions.requests import (
    AddRequest,
    RebuildRequest,
    RemoveRequest,
    RollbackRequest,
    VersionRequest,
)
from soak.worker import RequestOutcome


@dataclass
class Claim:
    """A request and the outcomes of its runs."""

    request: VersionRequest
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
        """Return the conversations that the request adds."""
        return list(self.request.ids) if isinstance(self.request, AddRequest) else []

    @property
    def may_change(self) -> bool:
        """Tell whether its version may hold another state of a conversation than the one before."""
        return isinstance(self.request, RebuildRequest | RollbackRequest)

    def applied(self, versions: Sequence[Sequence[UUID]]) -> list[UUID]:
        """Return the conversations of its version, which follows on `versions`, oldest first."""
        held = versions[-1] if versions else ()
        match self.request:
            case RemoveRequest(ids=removed):
                return [id for id in held if id not in removed]
            case RollbackRequest(to=number):
                return list(versions[int(number) - 1])
        return [*held, *self.ids]
