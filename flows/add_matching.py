"""Add all conversations that match to a training file, in parts or as one version."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed

from domain.counting import counted
from domain.documents import plan_document
from domain.versions.changes import Piece
from domain.versions.matching import parse_conditions
from domain.versions.plans import AddPlan, PlanProgress, PlanRequest
from domain.versions.record import VersionRecord
from flows.form import (
    Asker,
    BatchOrNone,
    Conditions,
    Description,
    PlanId,
    TrainingFileName,
)
from flows.running import ended, opaque, own_request_id, own_run_id, task_runner
from operations import bulk, resources
from operations.plans import plan_progress
from tasks.plans import make_one_version, make_part, plan, read_part, spool
from tasks.report import ProgressBar, report_plan, report_result
from tasks.upkeep import check_preconditions

R = TypeVar("R")

AHEAD = 2
"""Parts that are read while one before them is made; memory holds so many and one."""


@flow(name="add-matching", flow_run_name="{training_file}", task_runner=task_runner())
def add_matching(
    training_file: TrainingFileName,
    where: Conditions = [],  # noqa: B006 - Prefect shows the default
    *,
    batch: BatchOrNone = "",
    new: bool = False,
    description: Description = "",
    one_version: bool = False,
    strict: bool = False,
    requested_by: Asker = "prefect",
    request_id: PlanId = "",
) -> Any:
    """Add all conversations that match and that the training file does not hold.

    Args:
        training_file: Name of the training file, as in: Spring talks
        where: Conditions that must all hold, as in: persona=anxious_planner, quality>=4
        batch: The id or the name of a batch; the same as the condition batch=…
        new: Create the training file; its name must be free.
        description: What the training file is for, when it is created; at most 2,000 characters.
        one_version: Make one version with all; otherwise one for each 80, in order.
        strict: Treat warnings as errors.
        requested_by: Who asks; recorded on the versions.
        request_id: The plan's id, which resumes it; 1 to 95 characters out of A-Z, a-z, 0-9, _ and
            -. Left out, it is the run's idempotency key, or its id.
    """

    def work() -> State[Any]:
        conditions = [*where, *([f"batch={batch}"] if batch else [])]
        request = PlanRequest(
            training_file=training_file,
            matching=parse_conditions(conditions),
            new=new,
            description=description,
            one_version=one_version,
            strict=strict,
            requested_by=requested_by,
            request_id=request_id or own_request_id(),
            run_id=own_run_id(),
        )
        return made(request.name, run(request))

    return ended(training_file, work)


def run(request: PlanRequest) -> PlanProgress:
    """Make or resume the plan, and carry out what is left of it."""
    check_preconditions()
    planned = plan(request)
    if planned.conversation_ids:
        if request.one_version:
            add_at_once(planned)
        else:
            add_in_parts(planned)
    return plan_progress(resources.engine(), request.request_id)


def add_in_parts(planned: AddPlan) -> None:
    """Make the version of each part in order, while those after it are read."""
    count = planned.part_count
    progress = ProgressBar(count, "parts of the plan")
    reads = in_order(lambda number: read_part.submit(number, opaque(planned)), count)
    for number, read in enumerate(reads, 1):
        if not isinstance(read, VersionRecord):
            make_part(number, opaque(planned), opaque(read))
        progress.advance()


def add_at_once(planned: AddPlan) -> None:
    """Spool all conversations, then make one version with them."""
    engine = resources.engine()
    if plan_progress(engine, planned.request.request_id).is_done:
        return
    count = len(bulk.chunks(planned))
    progress = ProgressBar(count, f"chunks of {bulk.CHUNK} conversations read")
    pieces: list[Piece] = []
    for spooled in in_order(lambda number: spool.submit(number, opaque(planned)), count):
        pieces += spooled
        progress.advance()
    make_one_version(opaque(planned), opaque(pieces))


def in_order(submit: Callable[[int], PrefectFuture[R]], count: int) -> Iterator[R]:
    """Yield the results of task runs 1 to `count`, of which AHEAD run before they are needed."""
    running: deque[PrefectFuture[R]] = deque()
    for number in range(1, count + 1):
        running.append(submit(number))
        if len(running) > AHEAD:
            yield running.popleft().result()
    for future in running:
        yield future.result()


def made(name: str, progress: PlanProgress) -> State[PlanProgress]:
    """Report the versions and return the run's final state."""
    report_plan(progress)
    report_result(plan_document(progress))
    if not progress.versions:
        message = f"All {progress.plan.matched:,} that match are in “{name}” already"
        return Completed(name="Unchanged", message=message, data=progress)
    return Completed(
        message=summed_up(name, list(progress.versions.values()), progress), data=progress
    )


def summed_up(name: str, versions: Sequence[int], progress: PlanProgress) -> str:
    numbers = (
        f"version {versions[0]}"
        if len(versions) == 1
        else (f"versions {versions[0]} to {versions[-1]}")
    )
    return f"{counted(progress.added, 'conversation')} added to “{name}”: {numbers}"
