"""Helpers that all flows share: request id, progress, final state, task runner."""

import copyreg
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture, as_completed
from prefect.runtime import flow_run
from prefect.states import Failed
from prefect.task_runners import TaskRunner
from prefect.utilities.annotations import quote

from domain.documents import blocked_document, error_document
from domain.errors import Blocked, NotReady, TrainfoldError
from domain.findings import Reason
from domain.format.digest import sha256
from domain.versions.naming import is_request_id
from operations.settings import Settings
from tasks.report import ProgressBar, report_blocked, report_result

R = TypeVar("R")


def own_request_id() -> str:
    """Return the run's idempotency key, or else its id; a retry of the run has the same."""
    context = FlowRunContext.get()
    key = context.flow_run.idempotency_key if context and context.flow_run else None
    if key is None:
        return str(flow_run.id)
    return key if is_request_id(key) else sha256(key.encode())


def dated(what: str) -> Callable[[], str]:
    """Return what names a run by its work and its day; Prefect's own names are random words."""

    def name() -> str:
        return f"{what}, {flow_run.scheduled_start_time:%Y-%m-%d %H:%M}"

    return name


def own_run_id() -> str | None:
    """Return the id of the flow run; None outside of one."""
    return str(flow_run.id) if flow_run.id else None


def show_progress(futures: Sequence[PrefectFuture[Any]], what: str) -> None:
    """Advance a progress bar until all futures are done; `what` is its label."""
    progress = ProgressBar(len(futures), what)
    for _ in as_completed(list(futures)):
        progress.advance()


def settle(futures: Iterable[PrefectFuture[R]]) -> tuple[list[R | None], list[Reason]]:
    """Collect the results, None for blocked tasks, and all reasons; raise other errors."""
    results: list[R | None] = []
    reasons: list[Reason] = []
    for future in futures:
        try:
            results.append(future.result())
        except Blocked as blocked:
            results.append(None)
            reasons.extend(blocked.reasons)
    return results, reasons


def ended(subject: str, work: Callable[[], State[Any]]) -> State[Any]:
    """Return the final state of the work; turn errors of trainfold into Blocked or Failed.

    People see the state in the list of runs; programs read the result.
    """
    try:
        return work()
    except Blocked as blocked:
        report_blocked(subject, blocked)
        report_result(blocked_document(blocked.reasons))
        return Failed(name="Blocked", message=str(blocked), data=blocked)
    except TrainfoldError as error:
        report_result(error_document(error))
        return Failed(message=str(error), data=error)


def task_runner() -> TaskRunner[Any] | None:
    """Return the task runner of TRAINFOLD_TASK_RUNNER; None is Prefect's default, threads.

    The setting is read where a flow is defined, as Prefect fixes a flow's task runner there.
    """
    settings = Settings()
    return None if settings.task_runner == "threads" else _dask(settings.dask_address)


def _dask(address: str | None) -> TaskRunner[Any]:
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415 - slow, an extra
    except ModuleNotFoundError as error:
        raise NotReady(
            "TRAINFOLD_TASK_RUNNER is dask, and prefect-dask is not installed. Nothing was "
            "started. Install trainfold with its extra `dask`, or unset the variable."
        ) from error
    return DaskTaskRunner(address=address)


def opaque(value: R) -> R:
    """Keep Prefect from searching a large argument for futures: 0.01 s instead of 5."""
    return cast("R", quote(value))


def quoted(value: object) -> quote:
    return quote(value)


def _reduced(argument: quote) -> tuple[Callable[[object], quote], tuple[object]]:
    return quoted, (argument.unquote(),)


# `quote` is a tuple with a constructor of its own, so each pickling on the way to a Dask worker
# would wrap the quoted value once more. `quoted` is defined here so that unpickling it registers
# the reducer in the scheduler's process, too.
copyreg.pickle(quote, _reduced)
