"""Carry out one request in a process of its own, directly or as a Prefect flow."""

import logging
import os
import resource
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from domain.errors import Blocked, TrainfoldError
from domain.source.limits import Limits
from domain.versions.record import VersionRecord
from domain.versions.requests import (
    AddRequest,
    RebuildRequest,
    RemoveRequest,
    RollbackRequest,
    VersionRequest,
)
from operations.add import add
from operations.rebuild import compare_members, make_plan, replace_changed
from operations.remove import remove
from operations.rollback import roll_back
from soak.services import Services
from storage.client import READ_TIMEOUT_SECONDS
from storage.multipart import UploadStrategy

READY = "ready"
MAX_TEXT = 2_000
DESCRIPTORS = Path("/proc/self/fd")


class End(StrEnum):
    MADE = "made"
    UNCHANGED = "unchanged"
    """A rebuild that found nothing to do."""
    BLOCKED = "blocked"
    FAILED = "failed"
    """With a TrainfoldError: the caller knows what happened and what to do."""
    BROKEN = "broken"
    """With an unexpected exception."""
    KILLED = "killed"
    HUNG = "hung"


@dataclass(frozen=True)
class Job:
    request: VersionRequest
    services: Services
    as_flow: bool = False
    """As a flow run of the Prefect server that the environment names."""
    read_timeout_seconds: float = READ_TIMEOUT_SECONDS
    """Shorter in trials in which the store never answers."""
    strategy: UploadStrategy | None = None
    """Used for all objects larger than its smallest part."""
    spare_descriptors: int | None = None
    """Number of files and connections that the process may open."""


@dataclass(frozen=True)
class RequestOutcome:
    end: End
    number: int | None = None
    codes: tuple[str, ...] = ()
    """Codes of the reasons, if the request was blocked."""
    text: str = ""


def work(job: Job, line: "Connection[RequestOutcome | str, Any]") -> None:
    """Report that the process is ready, wait for `go`, and send the outcome."""
    # The outcome tells everything; logs would only clutter the terminal.
    logging.disable()
    if job.as_flow:
        # Imported before the start, as in a worker.
        from soak import flow_runs  # noqa: PLC0415, F401 - Prefect takes seconds to import
    line.send(READY)
    line.recv()
    line.send(outcome_of(job))


def outcome_of(job: Job) -> RequestOutcome:
    """Carry the request out; whatever ends it is evidence."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        if job.spare_descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (_fill() + job.spare_descriptors, hard))
        if job.as_flow:
            from soak.flow_runs import run_as_flow  # noqa: PLC0415 - Prefect takes seconds

            return run_as_flow(job.request, job.services)
        return _carry_out(job)
    except BaseException as error:  # noqa: BLE001 - any exception is evidence
        return end_of(error)
    finally:
        # The answer itself must come through.
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _fill() -> int:
    """Use up the numbers of descriptors below the highest one; return the first that is free."""
    highest = max(int(descriptor.name) for descriptor in DESCRIPTORS.iterdir())
    while (filler := os.open(os.devnull, os.O_RDONLY)) <= highest:
        pass
    os.close(filler)
    return filler


def end_of(error: BaseException) -> RequestOutcome:
    if isinstance(error, Blocked):
        codes = tuple(sorted({reason.code for reason in error.reasons}))
        return RequestOutcome(End.BLOCKED, codes=codes, text=str(error)[:MAX_TEXT])
    end = End.FAILED if isinstance(error, TrainfoldError) else End.BROKEN
    return RequestOutcome(end, text=f"{type(error).__qualname__}: {error}"[:MAX_TEXT])


def _carry_out(job: Job) -> RequestOutcome:
    if isinstance(job.request, RebuildRequest):
        return _rebuild(job, job.request)
    sources, files = job.services.stores(
        read_timeout_seconds=job.read_timeout_seconds, strategy=job.strategy
    )
    engine = job.services.engine()
    match job.request:
        case AddRequest():
            # One thread, so that the same seed meets the same fault.
            version = add(engine, sources, files, job.request, limits=Limits(), threads=1)
        case RemoveRequest():
            version = remove(engine, files, job.request)
        case RollbackRequest():
            version = roll_back(engine, files, job.request)
        case _:
            raise TypeError(type(job.request))
    return RequestOutcome(End.MADE, number=version.number)


def _rebuild(job: Job, request: RebuildRequest) -> RequestOutcome:
    """Do what the flow `rebuild-training-file` does, with all members in one chunk."""
    sources, files = job.services.stores(
        read_timeout_seconds=job.read_timeout_seconds, strategy=job.strategy
    )
    engine = job.services.engine()
    plan = make_plan(engine, request)
    if isinstance(plan, VersionRecord):
        return RequestOutcome(End.MADE, number=plan.number)
    chunk = list(zip(plan.members, plan.sources, strict=True))
    comparison = compare_members(
        sources, files, plan.version, chunk, request=request, limits=Limits()
    )
    rebuilt = replace_changed(engine, files, request, [comparison])
    if not rebuilt.is_new:
        return RequestOutcome(End.UNCHANGED)
    return RequestOutcome(End.MADE, number=rebuilt.version.number)
