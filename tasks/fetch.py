"""Fetch one conversation's file. Transport errors are retried, what will not change is not."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from domain.eligibility import EligibleConversation
from domain.errors import AccessRefused, Blocked, ObjectMissing, ObjectTooLarge, Unreachable
from domain.findings import Reason
from storage.store import ObjectStore
from tasks import resources

CODES: dict[type[Exception], str] = {
    ObjectMissing: "object-missing",
    ObjectTooLarge: "file-too-large",
    AccessRefused: "object-refused",
}


def is_transport_error(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether trying again may help."""
    return isinstance(state.result(raise_on_failure=False), Unreachable)


def read_source(store: ObjectStore, eligible: EligibleConversation, *, most_bytes: int) -> bytes:
    """The file's bytes; raises Blocked when there is none to be had, Unreachable otherwise."""
    try:
        return store.get(eligible.object_key, most_bytes=most_bytes)
    except tuple(CODES) as error:
        reason = Reason(
            conversation_id=str(eligible.conversation_id),
            code=CODES[type(error)],
            reason=str(error),
        )
        raise Blocked([reason]) from error


@task(
    name="fetch",
    task_run_name="fetch {eligible.conversation_id}",
    retries=4,
    retry_delay_seconds=exponential_backoff(backoff_factor=0.5),
    retry_jitter_factor=0.5,
    retry_condition_fn=is_transport_error,
    cache_policy=NO_CACHE,
)
def fetch(eligible: EligibleConversation) -> bytes:
    return read_source(
        resources.conversations_store(),
        eligible,
        most_bytes=resources.settings().limits.file_bytes,
    )
