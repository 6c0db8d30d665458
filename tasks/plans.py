"""The tasks of a plan: store it, then read and make each part, or spool all for one version."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from domain.format.fragment import Fragment
from domain.versions.changes import Piece
from domain.versions.plans import AddPlan, PlanRequest
from domain.versions.record import VersionRecord
from operations import bulk, parts, plans, resources
from tasks.policies import retried


@task(name="plan", task_run_name="plan", **retried(2), cache_policy=NO_CACHE)
def plan(request: PlanRequest) -> AddPlan:
    return plans.make_plan(resources.engine(), request)


@task(name="read-part", task_run_name="read part {number}", **retried(3), cache_policy=NO_CACHE)
def read_part(number: int, plan: AddPlan) -> VersionRecord | list[Fragment]:
    return parts.read_part(
        resources.engine(),
        resources.conversations_store(),
        plan,
        number,
        limits=resources.settings().limits,
    )


@task(name="make-part", task_run_name="make part {number}", **retried(3), cache_policy=NO_CACHE)
def make_part(number: int, plan: AddPlan, fragments: Sequence[Fragment]) -> VersionRecord:
    store = resources.training_files_store()
    return parts.make_part(resources.engine(), store, plan, number, fragments)


@task(name="spool", task_run_name="spool chunk {number}", **retried(3), cache_policy=NO_CACHE)
def spool(number: int, plan: AddPlan) -> list[Piece]:
    return bulk.spool(
        resources.engine(),
        resources.conversations_store(),
        resources.training_files_store(),
        plan,
        number,
        limits=resources.settings().limits,
    )


@task(name="make-one", task_run_name="make one version", **retried(2), cache_policy=NO_CACHE)
def make_one_version(plan: AddPlan, pieces: Sequence[Piece]) -> VersionRecord:
    store = resources.training_files_store()
    return bulk.make_one_version(resources.engine(), store, plan, pieces)
