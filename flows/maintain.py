"""Remove objects that no version needs from the object store."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from domain.counting import counted
from flows.running import dated, ended
from operations.sweep import Swept, foreign_objects
from tasks.report import report_result, report_sweep
from tasks.upkeep import check_preconditions, sweep, tidy


@flow(name="maintain", flow_run_name=dated("Objects that no version needs"))
def maintain(delete: bool = True) -> object:
    """Find trainfold's objects that no version needs and that are older than the safe age.

    Versions that their file's retention policy does not keep are released first.

    Also removes cached results that are too old to be used, from the disk of the worker.

    Args:
        delete: Remove them; otherwise only list them.
    """
    return ended("the store", lambda: run(delete))


def run(delete: bool) -> State[Swept]:
    """Sweep the store and report the objects."""
    check_preconditions()
    if delete:
        tidy()
    swept = sweep(delete)
    report_sweep(swept)
    report_result(swept.model_dump(mode="json"))
    verb = "Removed" if delete else "Found"
    message = f"{verb} {counted(len(swept.objects), 'object')}, {swept.size_bytes:,} bytes"
    if swept.released:
        message += f", of {counted(len(swept.released), 'released version')}"
    if swept.foreign_count:
        message += f"; {foreign_objects(swept.foreign_count)}"
    return Completed(message=message, data=swept)
