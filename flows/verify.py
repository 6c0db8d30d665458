"""Read stored versions back and compare them with what the database records."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from domain.counting import counted
from domain.documents import verified_document
from domain.errors import Damaged, NotFound
from domain.versions.record import VersionRecord
from flows.form import TrainingFileNameOrNone
from flows.running import dated, ended, show_progress, task_runner
from tasks.report import report_damage, report_result
from tasks.upkeep import check_preconditions, training_file_names, verify


def verified_name() -> str:
    """Name a run by the file that it verifies, or by its day if it verifies all."""
    name: str = flow_run.parameters.get("training_file") or dated("All training files")()
    return name


@flow(name="verify", flow_run_name=verified_name, task_runner=task_runner())
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
    outcomes = {name: outcome(future) for name, future in zip(names, futures, strict=True)}
    gone = [error for error in outcomes.values() if isinstance(error, NotFound)]
    if training_file and gone:
        raise gone[0]
    names = [name for name, error in outcomes.items() if not isinstance(error, NotFound)]
    damaged = [error for error in outcomes.values() if isinstance(error, Damaged)]
    report_result(verified_document(names, damaged))
    if damaged:
        report_damage(damaged)
        listed = ", ".join(f"“{error.name}” version {error.version}" for error in damaged)
        return Failed(name="Damaged", message=f"Damaged: {listed}", data=damaged[0])
    message = f"{counted(len(names), 'training file')} {'is' if len(names) == 1 else 'are'} sound"
    if gone:
        verb = "was" if len(gone) == 1 else "were"
        listed = ", ".join(map(str, gone))
        message += f"; {len(gone)} {verb} renamed or deleted meanwhile: {listed}"
    return Completed(message=message)


def outcome(future: PrefectFuture[VersionRecord]) -> Damaged | NotFound | None:
    """Return what the task found; raise other errors.

    A file that was renamed or deleted since the files were listed is NotFound.
    """
    try:
        future.result()
    except (Damaged, NotFound) as error:
        return error
    return None
