"""How far a request is, by its own id: what the database knows, or else its run in Prefect."""

from typing import Any

from console.context import runs
from db.engine import reading
from db.versions import version_of_request
from domain.documents import blocked_document, version_document
from domain.versions.record import VersionRecord
from operations import resources
from trainfold.prefect_http.runs import RunProgress


def status_document(request_id: str) -> dict[str, Any]:
    """Return how far a request is: what the database knows, or else its run in Prefect."""
    version = _version(request_id)
    if version is None:
        run = runs().of_request(request_id)
        # The run may have made the version since.
        version = _version(request_id) if run.is_finished else None
        if version is None:
            return _run_document(request_id, run)
    return {
        "request_id": request_id,
        "state": "done",
        "training_file": version.training_file,
        "progress": None,
        "version": version_document(version),
        "blocked": [],
        "error": None,
        "run_id": None,
    }


def _version(request_id: str) -> VersionRecord | None:
    with reading(resources.engine()) as connection:
        return version_of_request(connection, request_id)


def _run_document(request_id: str, run: RunProgress) -> dict[str, Any]:
    blocked = run.outcome.blocked if run.outcome else ()
    return {
        "request_id": request_id,
        "state": _state(run),
        "training_file": run.training_file,
        "progress": {"total": run.total, "fetched": run.fetched, "validated": run.validated},
        "version": None,
        **blocked_document(blocked),
        "error": _failure(run) if run.is_finished and not blocked else None,
        "run_id": run.run_id,
    }


def _state(run: RunProgress) -> str:
    if not run.is_finished:
        return "accepted" if run.state_type in {"SCHEDULED", "PENDING"} else "running"
    return "blocked" if run.outcome and run.outcome.blocked else "failed"


def _failure(run: RunProgress) -> dict[str, Any]:
    if run.outcome and run.outcome.error:
        return run.outcome.error.model_dump()
    return {
        "type": None,
        "message": f"The run ended as {run.state_name}: {run.message or 'no reason was given'}",
    }
