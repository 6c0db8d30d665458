"""The tasks of scheduled upkeep: verify and maintain."""

from prefect import task
from prefect.tasks import exponential_backoff

from db.engine import reading
from db.training_files import training_file_choices
from domain.version import VersionRecord
from tasks import resources
from tasks.policies import may_help
from tasks.sweep import Swept, sweep_store
from tasks.verify import verify_version


@task(name="list-training-files", task_run_name="list training files")
def training_file_names() -> list[str]:
    with reading(resources.engine()) as connection:
        return [row.name for row in training_file_choices(connection)]


@task(
    name="verify",
    task_run_name="verify {name}",
    retries=3,
    retry_delay_seconds=exponential_backoff(backoff_factor=1),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_help,
)
def verify(name: str) -> VersionRecord:
    return verify_version(resources.engine(), resources.training_files_store(), name)


@task(name="sweep", task_run_name="sweep")
def sweep(delete: bool) -> Swept:
    return sweep_store(
        resources.engine(),
        resources.training_files_store(),
        safe_age=resources.settings().garbage_safe_age,
        delete=delete,
    )
