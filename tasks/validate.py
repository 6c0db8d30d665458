"""Check one conversation's bytes and render its fragment. Deterministic, so never retried."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from domain import validation
from domain.eligibility import EligibleConversation
from domain.fragment import Fragment
from tasks import resources


# Its result is not kept for a repeated run: validating again costs less than keeping it.
@task(
    name="validate",
    task_run_name="validate {eligible.conversation_id}",
    cache_policy=NO_CACHE,
)
def validate(data: bytes, eligible: EligibleConversation, strict: bool) -> Fragment:
    return validation.validate(data, eligible, limits=resources.settings().limits, strict=strict)
