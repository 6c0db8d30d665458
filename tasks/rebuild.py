"""The tasks of a rebuild: plan, compare in chunks, replace."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from domain.versions.record import VersionRecord
from domain.versions.requests import RebuildRequest
from operations import rebuild, resources
from operations.rebuild import Comparison, RebuildPlan, Rebuilt
from tasks.policies import retried

CHUNK = 100
"""Conversations per task run: a rebuild of 10,000 has a hundred task runs."""


@task(name="plan", task_run_name="plan", cache_policy=NO_CACHE)
def plan(request: RebuildRequest) -> VersionRecord | RebuildPlan:
    return rebuild.make_plan(resources.engine(), request)


@task(
    name="compare",
    task_run_name="compare chunk {number}",
    **retried(3),
    cache_policy=NO_CACHE,
)
def compare(number: int, plan: RebuildPlan, request: RebuildRequest) -> Comparison:
    chunk = slice(number * CHUNK, (number + 1) * CHUNK)
    return rebuild.compare_members(
        resources.conversations_store(),
        resources.training_files_store(),
        plan.version,
        list(zip(plan.members[chunk], plan.sources[chunk], strict=True)),
        request=request,
        limits=resources.settings().limits,
        refuses_damage=plan.refuses_damage,
    )


@task(name="replace", task_run_name="replace", **retried(2), cache_policy=NO_CACHE)
def replace(request: RebuildRequest, comparisons: Sequence[Comparison]) -> Rebuilt:
    return rebuild.replace_changed(
        resources.engine(), resources.training_files_store(), request, comparisons
    )
