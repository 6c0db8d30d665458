"""Carry out one request in a process of its own, without Prefect."""

import logging
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from typing import Any

from domain.errors import Blocked, TrainfoldError
from domain.source.limits import Limits
from domain.versions.requests import AddRequest
from operations.add import add
from soak.services import Services
from storage.client import READ_TIMEOUT_SECONDS
from storage.multipart import UploadStrategy

READY = "ready"
MAX_TEXT = 2_000


class End(StrEnum):
    MADE = "made"
    BLOCKED = "blocked"
    FAILED = "failed"
    """With a TrainfoldError: the caller knows what happened and what to do."""
    BROKEN = "broken"
    """With an unexpected exception."""
    KILLED = "killed"
    HUNG = "hung"


@dataclass(frozen=True)
class Job:
    request: AddRequest
    services: Services
    read_timeout_seconds: float = READ_TIMEOUT_SECONDS
    """Shorter in trials in which the store never answers."""
    strategy: UploadStrategy | None = None
    """Used for all objects larger than its smallest part."""


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
    line.send(READY)
    line.recv()
    line.send(outcome_of(job))


def outcome_of(job: Job) -> RequestOutcome:
    try:
        sources, files = job.services.stores(
            read_timeout_seconds=job.read_timeout_seconds, strategy=job.strategy
        )
        # One thread, so that the same seed meets the same fault.
        version = add(
            job.services.engine(), sources, files, job.request, limits=Limits(), threads=1
        )
    except Blocked as blocked:
        codes = tuple(sorted({reason.code for reason in blocked.reasons}))
        return RequestOutcome(End.BLOCKED, codes=codes, text=str(blocked)[:MAX_TEXT])
    except TrainfoldError as error:
        return RequestOutcome(End.FAILED, text=f"{type(error).__name__}: {error}"[:MAX_TEXT])
    except Exception as error:  # noqa: BLE001 - any exception is evidence
        return RequestOutcome(End.BROKEN, text=f"{type(error).__qualname__}: {error}"[:MAX_TEXT])
    return RequestOutcome(End.MADE, number=version.number)
