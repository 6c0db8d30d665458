"""Check one conversation's bytes and render its fragment. Deterministic, so never retried."""

from prefect import task

from domain import validation
from domain.eligibility import EligibleConversation
from domain.fragment import Fragment
from tasks import resources
from tasks.policies import KEPT_FOR, once_a_request


@task(
    name="validate",
    task_run_name="validate {eligible.conversation_id}",
    cache_key_fn=once_a_request,
    cache_expiration=KEPT_FOR,
    persist_result=True,
)
def validate(
    data: bytes,
    eligible: EligibleConversation,
    request_id: str,  # noqa: ARG001 - the cache key
    strict: bool,
) -> Fragment:
    return validation.validate(data, eligible, limits=resources.settings().limits, strict=strict)
