"""Rebuild every training file from its sources; what stops one does not stop the others."""

from collections import Counter
from typing import Any

from prefect import flow, tags
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.form import Asker
from flows.rebuild import rebuild_training_file
from flows.running import ended
from tasks.report import ProgressBar, report_rebuilds, report_result
from tasks.upkeep import check_preconditions, training_file_names


@flow(name="rebuild-all")
def rebuild_all(strict: bool = False, requested_by: Asker = "schedule") -> object:
    """Rebuild all training files, one after another, each in a run of its own.

    Args:
        strict: Treat warnings as errors.
        requested_by: Who asks; recorded on the versions.
    """
    return ended("all training files", lambda: run(strict=strict, requested_by=requested_by))


def run(*, strict: bool, requested_by: str) -> State[Any]:
    """Rebuild each file and say how each ended."""
    check_preconditions()
    names = training_file_names()
    progress = ProgressBar(len(names), "training files rebuilt")
    ends: dict[str, State[Any]] = {}
    # The tag brings the runs of single files under the automations that watch over heartbeats.
    with tags("trainfold"):
        for name in names:
            ends[name] = rebuild_training_file(
                name, strict=strict, requested_by=requested_by, return_state=True
            )
            progress.advance()
    report_rebuilds(ends)
    report_result({"files": [_document(name, end) for name, end in ends.items()]})
    return summed_up(ends)


def summed_up(ends: dict[str, State[Any]]) -> State[Any]:
    """Sum up all ends: Failed or Blocked where any file is, and the message names those."""
    counts = Counter(end.name for end in ends.values())
    said = [f"{counts['Completed']} rebuilt", f"{counts['Unchanged']} unchanged"]
    stopped = {name: end for name, end in ends.items() if not end.is_completed()}
    if not stopped:
        name = "Completed" if counts["Completed"] else "Unchanged"
        return Completed(name=name, message=f"{len(ends)} training files: {', '.join(said)}")
    said += [f"“{name}” {end.name}" for name, end in stopped.items()]
    is_blocked = {end.name for end in stopped.values()} == {"Blocked"}
    return Failed(
        name="Blocked" if is_blocked else "Failed",
        message=f"{len(ends)} training files: {', '.join(said)}",
    )


def _document(name: str, end: State[Any]) -> dict[str, Any]:
    return {
        "training_file": name,
        "state": end.name,
        "message": end.message,
        "flow_run_id": str(end.state_details.flow_run_id),
    }
