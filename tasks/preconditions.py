"""What must hold before any work: the schema is current, the buckets can be used."""

from prefect import task

from db import migrate
from tasks import resources


@task(name="check-preconditions", task_run_name="check preconditions")
def check_preconditions() -> None:
    """Raise in words an operator understands: NotReady, AccessRefused or Unreachable."""
    migrate.require_current(resources.engine())
    resources.conversations_store().require()
    resources.training_files_store().require()
