"""The tasks of a rebuild."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from domain.requests import RebuildRequest
from domain.version import VersionRecord
from tasks import resources
from tasks.policies import may_help
from tasks.rebuilding import (
    Compared,
    Plan,
    Rebuilt,
    compare_members,
    make_plan,
    replace_changed,
)

CHUNK = 100
"""Conversations a task run: a rebuild of 10,000 makes a hundred."""


@task(name="plan", task_run_name="plan", cache_policy=NO_CACHE)
def plan(request: RebuildRequest) -> VersionRecord | Plan:
    return make_plan(resources.engine(), request)


@task(
    name="compare",
    task_run_name="compare chunk {number}",
    retries=3,
    retry_delay_seconds=exponential_backoff(backoff_factor=1),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_help,
    cache_policy=NO_CACHE,
)
def compare(number: int, made: Plan, request: RebuildRequest) -> Compared:
    chunk = slice(number * CHUNK, (number + 1) * CHUNK)
    return compare_members(
        resources.conversations_store(),
        resources.training_files_store(),
        made.version,
        list(zip(made.members[chunk], made.sources[chunk], strict=True)),
        request=request,
        limits=resources.settings().limits,
    )


@task(
    name="replace",
    task_run_name="replace",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=1),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_help,
    cache_policy=NO_CACHE,
)
def replace(request: RebuildRequest, compared: Sequence[Compared]) -> Rebuilt:
    return replace_changed(resources.engine(), resources.training_files_store(), request, compared)
