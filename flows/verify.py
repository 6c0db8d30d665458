"""Read stored versions back and compare them with what the database records."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

from domain.documents import verified_document
from domain.errors import Damaged
from domain.versions.record import VersionRecord
from flows.form import TrainingFileNameOrNone
from flows.running import ended, show_progress, task_runner
from tasks.report import report_damage, report_result
from tasks.upkeep import check_preconditions, training_file_names, verify


@flow(name="verify", task_runner=task_runner())
def verify_training_files(training_file: TrainingFileNameOrNone = "") -> object:
    """Check the current version of one training file, or of all.

    Args:
        training_file: Name of the training file, as in: Spring talks; all of them when left out.
    """
    return ended(training_file or "all training files", lambda: run(training_file))


def run(training_file: str) -> State[Any]:
    """Verify each file; end as Damaged if any is damaged, after reading all."""
    check_preconditions()
    names = [training_file] if training_file else training_file_names()
    futures = verify.map(names)
    show_progress(futures, "training files verified")
    damaged = [error for future in futures if (error := damage(future))]
    report_result(verified_document(names, damaged))
    if damaged:
        report_damage(damaged)
        listed = ", ".join(f"“{error.name}” version {error.version}" for error in damaged)
        return Failed(name="Damaged", message=f"Damaged: {listed}", data=damaged[0])
    return Completed(message=f"{len(names)} training files are sound")


def damage(future: PrefectFuture[VersionRecord]) -> Damaged | None:
    """Return the task's Damaged error, if it has one; raise other errors."""
    try:
        future.result()
    except Damaged as damaged:
        return damaged
    return None
