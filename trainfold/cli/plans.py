"""`add --where` and `add --resume`: add all that match, in parts, with one progress bar."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from domain.documents import plan_document, proposal_document
from domain.errors import Blocked, NotFound, TrainfoldError
from domain.versions.matching import EXAMPLES, parse_conditions
from domain.versions.naming import as_argument
from domain.versions.plans import AddPlan, PlanProgress, PlanRequest, Proposal
from domain.versions.requests import MAX_CONVERSATIONS
from operations import resources
from operations.plans import make_plan, plan_progress, propose
from trainfold.cli.output import print_facts, say, show, stderr, stdout
from trainfold.cli.ready import ready
from trainfold.cli.user import current_user

POLL_SECONDS = 1.0

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help=f"All conversations that match and are not in FILE yet: {EXAMPLES}. Repeated: all "
        "conditions hold; several batches are a union.",
    ),
]
Resume = Annotated[
    str | None, typer.Option("--resume", metavar="PLAN", help="Go on with a plan, by its id.")
]
OneVersion = Annotated[
    bool,
    typer.Option(
        "--one-version",
        help=f"With --where: one version with all, not one for each {MAX_CONVERSATIONS}.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --where: do not ask.")]


def plan_request(
    file: str,
    where: Sequence[str],
    *,
    new: bool,
    description: str = "",
    one_version: bool = False,
    strict: bool = False,
    requested_by: str | None = None,
    request_id: str | None = None,
) -> PlanRequest:
    """Build the request that the options describe; a condition that cannot be read is misuse."""
    try:
        matching = parse_conditions(where)
    except Blocked as blocked:
        problems = " ".join(reason.reason for reason in blocked.reasons)
        raise typer.BadParameter(problems, param_hint="--where") from blocked
    return PlanRequest(
        training_file=file,
        matching=matching,
        new=new,
        description=description,
        one_version=one_version,
        strict=strict,
        requested_by=requested_by or current_user(),
        request_id=request_id or str(uuid4()),
    )


def check_matching(request: PlanRequest) -> None:
    """Show what a plan would add; write nothing."""
    proposal = propose(resources.engine(), request)
    show(proposal_document(proposal), lambda: stdout.print(_counted(proposal)))


def add_matching(request: PlanRequest, *, yes: bool) -> None:
    """Show the count and ask; then store the plan and carry it out."""
    plan = _known(request)
    if plan is None:
        proposal = propose(resources.engine(), request)
        say(_counted(proposal))
        if not proposal.conversation_ids:
            show(proposal_document(proposal), lambda: None)
            return
        _confirm(yes)
        plan = make_plan(resources.engine(), request)
    _carry_out(plan)


def resume(id: str) -> None:
    """Carry out what is left of a stored plan."""
    _carry_out(plan_progress(resources.engine(), id).plan)


def _known(request: PlanRequest) -> AddPlan | None:
    """Return the plan if this request made one before: a repeated command resumes it."""
    try:
        plan_progress(resources.engine(), request.request_id)
    except NotFound:
        return None
    return make_plan(resources.engine(), request)


def _carry_out(plan: AddPlan) -> None:
    engine, id = resources.engine(), plan.request.request_id
    if not plan_progress(engine, id).is_done:
        say(f"Plan {id}. If this is interrupted: trainfold add --resume {id}")
        ready("prefect")
        with _bar(plan):
            _run(plan)
    progress = plan_progress(engine, id)
    show(plan_document(progress), lambda: _print(progress))


def _run(plan: AddPlan) -> None:
    """Run the flow in this process, tracked by the Prefect server; raise its error if it fails."""
    from flows.add_matching import add_matching as flow  # noqa: PLC0415 - imports Prefect

    request = plan.request
    state: Any = flow(
        request.name,
        list(request.matching.conditions),
        new=request.new,
        description=request.description,
        one_version=request.one_version,
        strict=request.strict,
        requested_by=request.requested_by,
        request_id=request.request_id,
        return_state=True,
    )
    state.result()


def _counted(proposal: Proposal) -> str:
    count = len(proposal.conversation_ids)
    name, parts = proposal.request.name, proposal.part_count
    matched = f"{proposal.matched:,} match"
    if proposal.in_file:
        matched += f", {proposal.in_file:,} are in “{name}” already"
    several = f"as {parts:,} versions, one for each {MAX_CONVERSATIONS}"
    how = several if parts > 1 else "as one version"
    return f"{matched}; {count:,} to add{f', {how}' if count else ''}."


def _confirm(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody can be asked here; --yes adds without asking")
    typer.confirm("Add them?", abort=True, err=True)


@contextmanager
def _bar(plan: AddPlan) -> Iterator[None]:
    """Show on standard error how many conversations the plan has added, whoever adds them."""
    label = TextColumn("{task.description}")
    columns = (label, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    total = len(plan.conversation_ids)
    ended = threading.Event()
    with Progress(*columns, console=stderr, transient=True) as bars:
        bar = bars.add_task(f"Adding to “{plan.request.name}”", total=total)

        def follow() -> None:
            while not ended.wait(POLL_SECONDS):
                # A database that is away for a moment is the flow's to wait for.
                with suppress(TrainfoldError):
                    progress = plan_progress(resources.engine(), plan.request.request_id)
                    bars.update(bar, completed=progress.added)

        follower = threading.Thread(target=follow, name="progress", daemon=True)
        follower.start()
        try:
            yield
        finally:
            ended.set()
            follower.join()


def _print(progress: PlanProgress) -> None:
    plan, versions = progress.plan, list(progress.versions.values())
    name = plan.request.name
    print_facts(
        [
            ("training file", name),
            ("plan", plan.request.request_id),
            ("added", f"{progress.added:,} of {len(plan.conversation_ids):,} conversations"),
            ("versions", " to ".join(map(str, dict.fromkeys([versions[0], versions[-1]])))),
        ]
    )
    say(f"Next: trainfold versions {as_argument(name)}")
