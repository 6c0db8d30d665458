"""Remove what crashed or overtaken requests left in the object store."""

from prefect import flow
from prefect.states import Completed

from tasks.preconditions import check_preconditions
from tasks.report import report_sweep
from tasks.upkeep import sweep


@flow(name="maintain")
def maintain(delete: bool = True) -> object:
    """Find objects that no version refers to and that are older than the safe age.

    Args:
        delete: Remove them; otherwise only list them.
    """
    check_preconditions()
    swept = sweep(delete)
    report_sweep(swept)
    verb = "Removed" if delete else "Found"
    return Completed(
        message=f"{verb} {len(swept.objects)} objects, {swept.size_bytes:,} bytes", data=swept
    )
