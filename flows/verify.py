"""Read stored versions back and compare them with what the database records."""

from prefect import flow
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

from domain.errors import Damaged
from domain.version import VersionRecord
from tasks.preconditions import check_preconditions
from tasks.report import report_damage
from tasks.upkeep import training_file_names, verify


@flow(name="verify")
def verify_training_files(training_file: str | None = None) -> object:
    """Check the current version of one training file, or of all.

    Args:
        training_file: Name of the training file; all of them when left out.
    """
    check_preconditions()
    names = [training_file] if training_file else training_file_names()
    damaged = [found for future in verify.map(names) if (found := damage(future))]
    if damaged:
        report_damage(damaged)
        listed = ", ".join(f"“{each.name}” version {each.version}" for each in damaged)
        return Failed(name="Damaged", message=f"Damaged: {listed}", data=damaged[0])
    return Completed(message=f"{len(names)} training files are sound")


def damage(future: PrefectFuture[VersionRecord]) -> Damaged | None:
    """What is wrong with a version; other errors are raised."""
    try:
        future.result()
    except Damaged as damaged:
        return damaged
    return None
