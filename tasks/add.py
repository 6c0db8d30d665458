"""The tasks of an add: gate, fetch ×N, validate ×N, reduce."""

from collections.abc import Sequence
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE

from db.engine import reading
from domain.format.fragment import Fragment
from domain.versions import validation
from domain.versions.eligibility import Admission, EligibleConversation
from domain.versions.record import VersionRecord
from domain.versions.requests import AddRequest
from domain.versions.strictness import Strictness
from operations import resources
from operations.add import make_version
from operations.admission import decide
from operations.reading import measure_sources, read_source
from operations.tidying import RESULTS_ARE_KEPT_FOR
from storage.store import ObjectState
from tasks.policies import READS_ARE_RETRIED_FOR, once_a_request, retried


# What the gate said may be void by the time that a run is repeated.
@task(name="gate", task_run_name="gate", cache_policy=NO_CACHE)
def gate(request: AddRequest) -> VersionRecord | Admission:
    with reading(resources.engine()) as connection:
        return decide(connection, request)


@task(
    name="measure",
    task_run_name="measure the sources",
    **retried(4, first_pause_seconds=0.5, within=READS_ARE_RETRIED_FOR),
    cache_policy=NO_CACHE,
)
def measure(conversations: Sequence[EligibleConversation]) -> list[ObjectState | None]:
    return measure_sources(
        resources.conversations_store(), conversations, limits=resources.settings().limits
    )


@task(
    name="fetch",
    task_run_name="fetch {eligible.conversation_id}",
    **retried(4, first_pause_seconds=0.5, within=READS_ARE_RETRIED_FOR),
    cache_key_fn=once_a_request,
    cache_expiration=RESULTS_ARE_KEPT_FOR,
    persist_result=True,
)
def fetch(
    eligible: EligibleConversation,
    source: ObjectState | None,  # noqa: ARG001 - the cache key
    request_id: str,  # noqa: ARG001 - the cache key
) -> bytes:
    store, limits = resources.conversations_store(), resources.settings().limits
    return read_source(store, eligible, max_bytes=limits.file_bytes)


# Deterministic, so never retried. Its result is not cached: validating again costs less.
@task(
    name="validate",
    task_run_name="validate {eligible.conversation_id}",
    cache_policy=NO_CACHE,
)
def validate(data: bytes, eligible: EligibleConversation, strictness: Strictness) -> Fragment:
    limits = resources.settings().limits
    return validation.validate(data, eligible, limits=limits, strictness=strictness)


@task(name="reduce", task_run_name="reduce", **retried(2), cache_policy=NO_CACHE)
def reduce(
    request: AddRequest, fragments: Sequence[Fragment], training_file_id: UUID | None
) -> VersionRecord:
    return make_version(
        resources.engine(),
        resources.training_files_store(),
        request,
        fragments,
        training_file_id=training_file_id,
    )
