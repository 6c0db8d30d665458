"""The tasks that every flow begins with, and those of verify and maintain."""

from prefect import task
from prefect.settings import get_current_settings

from db.engine import reading
from db.training_files import training_file_choices
from domain.versions.record import VersionRecord
from operations import resources
from operations.binding import require_bound
from operations.doctor.database import require_database
from operations.settings import home_directory
from operations.sweep import Swept, sweep_store
from operations.tidying import remove_cached_results, rotate_logs
from operations.verify import verify_version
from tasks.policies import retried


@task(name="check-preconditions", task_run_name="check preconditions")
def check_preconditions() -> None:
    """Raise NotReady, AccessRefused or Unreachable, in the doctor's words, unless work can begin.

    The bucket of training files must be this database's; one that is nobody's yet is bound.
    """
    require_database(resources.engine())
    resources.conversations_store().require()
    require_bound(resources.engine(), resources.training_files_store())


@task(name="list-training-files", task_run_name="list training files")
def training_file_names(active: bool = False) -> list[str]:
    """List all training files that are not deleted, or only the active ones."""
    with reading(resources.engine()) as connection:
        files = training_file_choices(connection)
    return [file.name for file in files if file.status == "active" or not active]


@task(name="verify", task_run_name="verify {name}", **retried(3))
def verify(name: str) -> VersionRecord:
    return verify_version(resources.engine(), resources.training_files_store(), name)


@task(name="tidy", task_run_name="tidy the worker's disk")
def tidy() -> int:
    """Remove cached results that are too old to be used, and rotate the local stack's logs."""
    rotate_logs(home_directory() / "logs")
    storage = get_current_settings().results.local_storage_path
    return remove_cached_results(storage) if storage else 0


@task(name="sweep", task_run_name="sweep")
def sweep(delete: bool) -> Swept:
    return sweep_store(
        resources.engine(),
        resources.training_files_store(),
        safe_age=resources.settings().garbage_safe_age,
        grace=resources.settings().deleted_file_grace,
        delete=delete,
    )
