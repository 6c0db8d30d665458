"""Fetch one conversation's file. Transport errors are retried, what will not change is not."""

from prefect import task
from prefect.tasks import exponential_backoff

from domain.eligibility import EligibleConversation
from storage.source import read_source
from tasks import resources
from tasks.policies import KEPT_FOR, may_help, once_a_request


@task(
    name="fetch",
    task_run_name="fetch {eligible.conversation_id}",
    retries=4,
    retry_delay_seconds=exponential_backoff(backoff_factor=0.5),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_help,
    cache_key_fn=once_a_request,
    cache_expiration=KEPT_FOR,
    persist_result=True,
)
def fetch(eligible: EligibleConversation, request_id: str) -> bytes:  # noqa: ARG001 - the cache key
    return read_source(
        resources.conversations_store(),
        eligible,
        most_bytes=resources.settings().limits.file_bytes,
    )
