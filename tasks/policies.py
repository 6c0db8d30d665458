"""Policies of tasks: when to retry, and how long results are cached for a repeated run."""

from datetime import UTC, datetime, timedelta
from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import Task, exponential_backoff

from domain.errors import TEMPORARY
from domain.format.digest import sha256
from domain.versions.eligibility import EligibleConversation
from storage.store import ObjectState

READS_ARE_RETRIED_FOR = timedelta(minutes=2)


def may_help(
    _task: Task[Any, Any], run: TaskRun, state: State[Any], *, within: timedelta | None = None
) -> bool:
    """Tell whether a retry may help: a service was unreachable. A rule would block again.

    Not after `within`: a service that only accepts connections takes minutes for each try, and
    Prefect starts a request's last fetches when the first have given up.
    """
    if within and run.start_time and datetime.now(UTC) - run.start_time > within:
        return False
    return isinstance(state.result(raise_on_failure=False), TEMPORARY)


def retried(
    times: int, *, first_pause_seconds: float = 1, within: timedelta | None = None
) -> dict[str, Any]:
    """Return the options of a task that is retried where that may help, with growing pauses."""

    # Prefect never retries on a condition that is no plain function, a partial for example.
    def condition(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:
        return may_help(task, run, state, within=within)

    return {
        "retries": times,
        "retry_delay_seconds": exponential_backoff(backoff_factor=first_pause_seconds),
        "retry_jitter_factor": 0.5,
        "retry_condition_fn": condition,
    }


def once_a_request(context: TaskRunContext, arguments: dict[str, Any]) -> str | None:
    """Build the key of a conversation's kept result, by which a repeated request finds it again.

    The object's state is part of it: what is kept never gives another answer than fetching again
    would. An object without a state is fetched again.
    """
    eligible: EligibleConversation = arguments["eligible"]
    source: ObjectState | None = arguments["source"]
    if source is None:
        return None
    subject = f"{arguments['request_id']} {eligible.model_dump_json()} {source}"
    return f"trainfold-{context.task.name}-{sha256(subject.encode())}"
