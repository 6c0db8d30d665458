"""The tasks of a removal and of a rollback: one each, which calls the operation."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from domain.versions.record import VersionRecord
from domain.versions.requests import RemoveRequest, RollbackRequest
from operations import remove, resources, rollback
from tasks.policies import retried


@task(name="remove", task_run_name="remove", **retried(2), cache_policy=NO_CACHE)
def take_out(request: RemoveRequest) -> VersionRecord:
    return remove.remove(resources.engine(), resources.training_files_store(), request)


@task(name="roll-back", task_run_name="roll back", **retried(2), cache_policy=NO_CACHE)
def roll_back(request: RollbackRequest) -> VersionRecord:
    return rollback.roll_back(resources.engine(), resources.training_files_store(), request)
