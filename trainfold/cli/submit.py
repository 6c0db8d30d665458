"""`submit`: add conversations on a Prefect worker, and follow the run."""

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
from operations.admission import version_made_by
from trainfold.cli import prefect
from trainfold.cli.output import Json, say, stderr
from trainfold.cli.ready import ready
from trainfold.cli.selection import BatchOption, File, IdArguments, IdsFromOption
from trainfold.cli.versions import (
    AskedBy,
    DescriptionOption,
    New,
    RequestId,
    Strict,
    add_request,
    show_if_made_before,
    show_version,
)
from trainfold.prefect_http.runs import RunProgress, Runs

POLL_SECONDS = 0.5
POLL_SHARE = 0.1
"""Share of the time spent polling at most: a hundred followers must not keep Prefect busy."""
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
    """Submit an add to a Prefect worker, and follow the run.

    The gate is asked first: if it blocks a conversation, nothing is submitted. Ctrl-C stops
    following; the run continues.
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
    if not show_if_made_before(request):
        # Following a run needs no connection: the local PostgreSQL has a hundred.
        resources.engine().dispose()
        ready("s3", "prefect", worker=True)
        show_version(_version_of_run(request))


def _version_of_run(request: AddRequest) -> VersionRecord:
    """Submit the request, follow its run, and return its version, or raise the run's error."""
    runs = prefect.runs()
    run_id = runs.submit_add(request)
    say(f"Submitted request {request.request_id}: {prefect.run_page(run_id)}")
    try:
        ended = _follow(runs, run_id)
    except KeyboardInterrupt:
        say(
            f"The run continues: {prefect.run_page(run_id)}\n"
            f"To follow it again, repeat the command with --request-id {request.request_id}."
        )
        raise typer.Exit(INTERRUPTED) from None
    if ended.outcome is None or ended.outcome.version is None:
        _raise(ended)
    with reading(resources.engine()) as connection:
        version = version_made_by(connection, request)
    if version is None:
        raise TrainfoldError(
            f"The run {run_id} reports that it made a version, but the database has no version of "
            "this request. Check that the worker uses the same TRAINFOLD_DATABASE_URL."
        )
    return version


def _follow(runs: Runs, run_id: UUID) -> RunProgress:
    """Show a bar on standard error until the run has ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True) as bars:
        bar = bars.add_task("Waiting for a worker", total=None)
        patience = time.monotonic() + PATIENCE_SECONDS
        while True:
            started = time.monotonic()
            progress = runs.progress(run_id)
            taken_seconds = time.monotonic() - started
            if progress.is_finished:
                return progress
            done, total = progress.fetched + progress.validated, 2 * progress.total
            bars.update(bar, description=_described(progress), completed=done, total=total or None)
            if progress.state_type == "SCHEDULED" and time.monotonic() > patience:
                patience = float("inf")
                say("No worker has picked it up yet. `trainfold status` shows the local worker.")
            time.sleep(max(POLL_SECONDS, taken_seconds * (1 - POLL_SHARE) / POLL_SHARE))


def _described(progress: RunProgress) -> str:
    if progress.state_type != "RUNNING":
        return f"“{progress.training_file}”: {progress.state_name}"
    return (
        f"“{progress.training_file}”: fetched {progress.fetched}, "
        f"validated {progress.validated} of {progress.total}"
    )


def _raise(ended: RunProgress) -> NoReturn:
    """Raise the run's own error, so that the exit code is that of `add`."""
    outcome = ended.outcome
    if outcome and outcome.blocked:
        raise Blocked(outcome.blocked)
    if outcome and outcome.error:
        kind = getattr(errors, outcome.error.type, TrainfoldError)
        raise kind(outcome.error.message)
    raise TrainfoldError(
        f"The run ended as {ended.state_name}: {ended.message or 'no reason was given'} "
        f"See {prefect.run_page(ended.run_id)}; repeating the request under the same id is safe."
    )
