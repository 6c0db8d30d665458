"""A run's page: its progress and its outcome. It can be shared by URL."""

import hashlib
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from console.context import runs
from console.pages.dependencies import authenticate
from console.rendering import render
from db.engine import reading
from db.training_files import training_file_rows
from domain.findings import VersionWarning
from domain.format import FORMATS
from operations import resources
from trainfold.prefect_http.runs import RunProgress

router = APIRouter(dependencies=[Depends(authenticate)])


@router.get("/runs/{run_id}")
def run(request: Request, run_id: UUID) -> Response:
    return _render_run(request, "run.html", runs().progress(run_id))


@router.get("/runs/{run_id}/progress")
def progress(request: Request, run_id: UUID, seen: str = "") -> Response:
    """Render the progress, or answer 204 if it is unchanged, so that screen readers stay silent."""
    current = runs().progress(run_id)
    if _digest(current) == seen:
        return Response(status_code=204)
    return _render_run(request, "parts/progress.html", current)


def _render_run(request: Request, template: str, current: RunProgress) -> Response:
    return render(
        request,
        template,
        run=current,
        existing_file=_existing_file(current),
        steps=_steps(current),
        warnings=_warnings(current),
        formats=FORMATS,
        seen=_digest(current),
    )


def _existing_file(run: RunProgress) -> str:
    """Return the name of the run's training file if there is one, else nothing."""
    if not (run.outcome and run.outcome.blocked):
        return ""
    with reading(resources.engine()) as connection:
        rows = training_file_rows(connection, run.training_file)
    return rows[0].name if rows else ""


def _warnings(run: RunProgress) -> list[VersionWarning]:
    """Return the warnings of the version that a run made; its document has them as plain data."""
    made = run.outcome.version if run.outcome else None
    return [VersionWarning.model_validate(it) for it in (made or {}).get("warnings", ())]


def _digest(progress: RunProgress) -> str:
    return hashlib.sha256(progress.model_dump_json().encode()).hexdigest()[:16]


def _steps(run: RunProgress) -> list[tuple[str, str, str]]:
    """Return each step's name, its state (done, now, ahead or stopped), and its count."""
    is_waiting = run.state_type in {"SCHEDULED", "PENDING"}
    is_done = run.outcome is not None and run.outcome.version is not None
    begun = [
        True,
        not is_waiting,
        not is_waiting and run.total > 0 and run.fetched >= run.total,
        not is_waiting and run.total > 0 and run.validated >= run.total,
        is_done,
    ]
    labels = [
        ("Submitted", ""),
        ("Fetching", f"{run.fetched} of {run.total}" if run.total else ""),
        ("Validating", f"{run.validated} of {run.total}" if run.total else ""),
        ("Merging", ""),
        ("Done", ""),
    ]
    ended = [*begun[1:], is_done]
    steps = []
    for (name, count), has_begun, has_ended in zip(labels, begun, ended, strict=True):
        if is_done or (has_begun and has_ended):
            steps.append((name, "done", count))
        elif has_begun:
            steps.append((name, "stopped" if run.is_finished else "now", count))
        else:
            steps.append((name, "ahead", count))
    return steps
