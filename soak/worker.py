"""One request in a process of its own: gate, fetch, validate, make_version, without Prefect."""

import logging
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from typing import Any
from unittest import mock

from botocore.config import Config
from sqlalchemy import Engine

from db.engine import reading
from db.gate import decide
from domain.errors import Blocked, TrainfoldError
from domain.limits import Limits
from domain.requests import AddRequest
from domain.validation import validate
from domain.version import VersionRecord
from soak.services import Services
from storage import s3
from storage.parts import Way
from storage.source import read_source
from storage.store import ObjectStore
from tasks.reduce import make_version

READY = "ready"
MOST_TEXT = 2_000


class End(StrEnum):
    MADE = "made"
    BLOCKED = "blocked"
    FAILED = "failed"
    """With an error of ours: the caller knows what happened and what to do."""
    BROKEN = "broken"
    """With an error that is none of ours."""
    KILLED = "killed"
    HUNG = "hung"


@dataclass(frozen=True)
class Job:
    request: AddRequest
    services: Services
    read_timeout_seconds: float | None = None
    """Shorter than the product's minute, where a trial lets the store never answer."""
    way: Way | None = None
    """How large objects are put together, and all are large that exceed its smallest part."""


@dataclass(frozen=True)
class Outcome:
    end: End
    number: int | None = None
    codes: tuple[str, ...] = ()
    """Of the reasons, where it was blocked."""
    text: str = ""


def carry_out(
    engine: Engine, sources: ObjectStore, files: ObjectStore, request: AddRequest
) -> VersionRecord:
    """What the flow does, in this thread."""
    with reading(engine) as connection:
        decision = decide(connection, request)
    if isinstance(decision, VersionRecord):
        return decision
    limits = Limits()
    fragments = [
        validate(
            read_source(sources, eligible, most_bytes=limits.file_bytes),
            eligible,
            limits=limits,
            strict=request.strict,
        )
        for eligible in decision.conversations
    ]
    return make_version(engine, files, request, fragments)


def work(job: Job, line: "Connection[Outcome | str, Any]") -> None:
    """The process: say that it is ready, wait to be sent off, tell the outcome."""
    # What it has to say is its outcome.
    logging.disable()
    _adjust(job)
    line.send(READY)
    line.recv()
    line.send(outcome_of(job))


def outcome_of(job: Job) -> Outcome:
    try:
        sources, files = job.services.stores()
        version = carry_out(job.services.engine(), sources, files, job.request)
    except Blocked as blocked:
        codes = tuple(sorted({reason.code for reason in blocked.reasons}))
        return Outcome(End.BLOCKED, codes=codes, text=str(blocked)[:MOST_TEXT])
    except TrainfoldError as error:
        return Outcome(End.FAILED, text=f"{type(error).__name__}: {error}"[:MOST_TEXT])
    except Exception as error:  # noqa: BLE001 - whatever ends a request is evidence
        return Outcome(End.BROKEN, text=f"{type(error).__qualname__}: {error}"[:MOST_TEXT])
    return Outcome(End.MADE, number=version.number)


def _adjust(job: Job) -> None:
    """Change constants of the product in this process, which ends with its one request."""
    if job.way is not None:
        mock.patch.multiple(s3, ONE_PUT=job.way.least, WAYS=(job.way,)).start()
    if job.read_timeout_seconds is not None:
        changed = {"read_timeout": job.read_timeout_seconds}
        mock.patch.object(s3, "Config", lambda **given: Config(**{**given, **changed})).start()
