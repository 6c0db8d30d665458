"""How far a plan is: what the database knows, and how its run in Prefect ended."""

from dataclasses import dataclass
from typing import Literal

from console.context import runs
from domain.errors import NotFound
from domain.findings import Reason
from domain.versions.plans import PlanProgress
from operations import resources
from operations.plans import plan_progress
from trainfold.prefect_http.runs import ADD_MATCHING, RunProgress

State = Literal["stored", "accepted", "running", "done", "blocked", "failed"]


@dataclass(frozen=True, slots=True)
class PlanStatus:
    progress: PlanProgress
    state: State
    blocked: tuple[Reason, ...] = ()
    error: str | None = None

    @property
    def is_finished(self) -> bool:
        return self.state in {"done", "blocked", "failed"}


def plan_status(id: str) -> PlanStatus:
    """Return how far a plan is; raises NotFound."""
    progress = plan_progress(resources.engine(), id)
    if progress.is_done:
        return PlanStatus(progress, "done")
    try:
        run = runs().of_request(id, flow=ADD_MATCHING)
    except NotFound:
        # A command line carries it out, or nobody: Prefect was away when it was to be submitted.
        return PlanStatus(progress, "stored")
    if not run.is_finished:
        is_waiting = run.state_type in {"SCHEDULED", "PENDING"}
        return PlanStatus(progress, "accepted" if is_waiting else "running")
    return _ended(id, run)


def _ended(id: str, run: RunProgress) -> PlanStatus:
    # The run may have made versions since.
    progress = plan_progress(resources.engine(), id)
    if progress.is_done:
        return PlanStatus(progress, "done")
    if run.outcome and run.outcome.blocked:
        return PlanStatus(progress, "blocked", blocked=run.outcome.blocked)
    failure = run.outcome.error.message if run.outcome and run.outcome.error else ""
    return PlanStatus(progress, "failed", error=failure or run.message or run.state_name)
