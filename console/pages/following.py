"""A run's page: how far it is, and how it ended. Its address can be kept and shared."""

import hashlib
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from console.context import runs
from console.pages.visiting import visiting
from console.rendering import render
from domain.format import FORMATS
from trainfold.prefect_http.runs import RunProgress

router = APIRouter(dependencies=[Depends(visiting)])


@router.get("/runs/{run_id}")
def run(request: Request, run_id: UUID) -> Response:
    return _render(request, "run.html", runs().progress(run_id))


@router.get("/runs/{run_id}/progress")
def progress(request: Request, run_id: UUID, seen: str = "") -> Response:
    """The part of the page that changes; nothing new is no answer, so that it is read out once."""
    found = runs().progress(run_id)
    if _digest(found) == seen:
        return Response(status_code=204)
    return _render(request, "parts/progress.html", found)


def _render(request: Request, template: str, found: RunProgress) -> Response:
    return render(
        request, template, run=found, steps=_steps(found), formats=FORMATS, seen=_digest(found)
    )


def _digest(run: RunProgress) -> str:
    return hashlib.sha256(run.model_dump_json().encode()).hexdigest()[:16]


def _steps(run: RunProgress) -> list[tuple[str, str, str]]:
    """Each step's name, its state (done, now, ahead, stopped), and how far it is."""
    waits = run.state_type in {"SCHEDULED", "PENDING"}
    is_done = run.outcome is not None and run.outcome.version is not None
    reached = [
        True,
        not waits,
        not waits and run.total > 0 and run.fetched >= run.total,
        not waits and run.total > 0 and run.validated >= run.total,
        is_done,
    ]
    texts = [
        ("Submitted", ""),
        ("Fetching", f"{run.fetched} of {run.total}" if run.total else ""),
        ("Validating", f"{run.validated} of {run.total}" if run.total else ""),
        ("Merging", ""),
        ("Done", ""),
    ]
    ended = [*reached[1:], is_done]
    steps = []
    for (name, far), begun, over in zip(texts, reached, ended, strict=True):
        if is_done or (begun and over):
            steps.append((name, "done", far))
        elif begun:
            steps.append((name, "stopped" if run.is_finished else "now", far))
        else:
            steps.append((name, "ahead", far))
    return steps
