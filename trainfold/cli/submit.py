"""`submit`: an add that a Prefect worker carries out, followed from here."""

import time
from typing import NoReturn
from uuid import UUID

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from db.engine import reading
from domain import errors
from domain.errors import Blocked, TrainfoldError
from domain.versions.record import VersionRecord
from domain.versions.requests import AddRequest
from operations import resources
from operations.admission import decide, version_made_by
from trainfold.cli import prefect
from trainfold.cli.output import Json, say, stderr
from trainfold.cli.ready import ready
from trainfold.cli.selection import BatchOption, IdArguments, IdsFromOption
from trainfold.cli.versions import (
    AskedBy,
    DescriptionOption,
    File,
    New,
    RequestId,
    Strict,
    add_request,
    show_version,
)
from trainfold.prefect_http.runs import RunProgress, Runs

POLL_SECONDS = 0.5
PATIENCE_SECONDS = 20
INTERRUPTED = 130


def submit(
    file: File,
    ids: IdArguments = None,
    batch: BatchOption = None,
    ids_from: IdsFromOption = None,
    new: New = False,
    description: DescriptionOption = "",
    request_id: RequestId = None,
    strict: Strict = False,
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Have a Prefect worker fold conversations into a training file, and follow it.

    Does what add does, elsewhere. The gate is asked first: when anything blocks, nothing is
    submitted. Ctrl-C leaves the run going.
    """
    ready("database")
    request = add_request(
        file,
        ids,
        batch,
        ids_from,
        new=new,
        description=description,
        request_id=request_id,
        strict=strict,
        requested_by=requested_by,
    )
    with reading(resources.engine()) as connection:
        decision = decide(connection, request)
    if isinstance(decision, VersionRecord):
        say(f"The request {request.request_id} was carried out before; nothing was changed.")
        show_version(decision)
        return
    ready("s3", "prefect", worker=True)
    show_version(_carried_out(request))


def _carried_out(request: AddRequest) -> VersionRecord:
    """Submit, follow, and raise what the run ended with unless that is a version."""
    runs = prefect.runs()
    run_id = runs.submit_add(request)
    say(f"Submitted request {request.request_id}: {prefect.run_page(run_id)}")
    try:
        ended = _follow(runs, run_id)
    except KeyboardInterrupt:
        say(
            f"The run goes on: {prefect.run_page(run_id)}\n"
            f"The same command with --request-id {request.request_id} follows it again."
        )
        raise typer.Exit(INTERRUPTED) from None
    if ended.outcome is None or ended.outcome.version is None:
        _raise(ended)
    with reading(resources.engine()) as connection:
        version = version_made_by(connection, request)
    if version is None:
        raise TrainfoldError(
            f"Prefect says that the run {run_id} made a version, and the database has none of this "
            "request. Do they belong together? Compare TRAINFOLD_DATABASE_URL with the worker's."
        )
    return version


def _follow(runs: Runs, run_id: UUID) -> RunProgress:
    """Show a bar on standard error until the run has ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True) as bars:
        bar = bars.add_task("Waiting for a worker", total=None)
        patience = time.monotonic() + PATIENCE_SECONDS
        while not (found := runs.progress(run_id)).is_finished:
            done, total = found.fetched + found.validated, 2 * found.total
            bars.update(bar, description=_described(found), completed=done, total=total or None)
            if found.state_type == "SCHEDULED" and time.monotonic() > patience:
                patience = float("inf")
                say("No worker has taken it yet. `trainfold status` tells of the local one.")
            time.sleep(POLL_SECONDS)
    return found


def _described(found: RunProgress) -> str:
    if found.state_type != "RUNNING":
        return f"“{found.training_file}”: {found.state_name}"
    return (
        f"“{found.training_file}”: fetched {found.fetched}, "
        f"validated {found.validated} of {found.total}"
    )


def _raise(ended: RunProgress) -> NoReturn:
    """Raise what the run itself ended with, so that the exit code is that of `add`."""
    outcome = ended.outcome
    if outcome and outcome.blocked:
        raise Blocked(outcome.blocked)
    if outcome and outcome.error:
        kind = getattr(errors, outcome.error.type, TrainfoldError)
        raise kind(outcome.error.message)
    raise TrainfoldError(
        f"The run ended as {ended.state_name}: {ended.message or 'no reason was given'} "
        f"Look at {prefect.run_page(ended.run_id)}; asking again under the same request id is safe."
    )
