"""Rebuild every training file from its sources; if one fails, the others are still rebuilt."""

from collections import Counter
from typing import Any

from prefect import flow, tags
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from domain.counting import counted
from flows.form import Asker
from flows.rebuild import rebuild_training_file
from flows.running import dated, ended
from tasks.report import ProgressBar, report_rebuilds, report_result
from tasks.upkeep import check_preconditions, training_file_names


@flow(name="rebuild-all", flow_run_name=dated("All training files"))
def rebuild_all(strict: bool = False, requested_by: Asker = "schedule") -> object:
    """Rebuild all active training files, one after another, each in its own run.

    Args:
        strict: Treat warnings as errors.
        requested_by: Who asks; recorded on the versions.
    """
    return ended("all training files", lambda: run(strict=strict, requested_by=requested_by))


def run(*, strict: bool, requested_by: str) -> State[Any]:
    """Rebuild each file and report how each rebuild ended."""
    check_preconditions()
    names = training_file_names(active=True)
    progress = ProgressBar(len(names), "training files rebuilt")
    states: dict[str, State[Any]] = {}
    # The automations that watch heartbeats apply to runs with this tag.
    with tags("trainfold"):
        for name in names:
            states[name] = rebuild_training_file(
                name, strict=strict, requested_by=requested_by, return_state=True
            )
            progress.advance()
    report_rebuilds(states)
    report_result({"files": [_document(name, state) for name, state in states.items()]})
    return summed_up(states)


def summed_up(states: dict[str, State[Any]]) -> State[Any]:
    """Sum up all states: Failed or Blocked if any file is, with a message that names those."""
    counts = Counter(state.name for state in states.values())
    parts = [f"{counts['Completed']} rebuilt", f"{counts['Unchanged']} unchanged"]
    stopped = {name: state for name, state in states.items() if not state.is_completed()}
    files = counted(len(states), "training file")
    if not stopped:
        name = "Completed" if counts["Completed"] else "Unchanged"
        return Completed(name=name, message=f"{files}: {', '.join(parts)}")
    parts += [f"“{name}” {state.name}" for name, state in stopped.items()]
    is_blocked = {state.name for state in stopped.values()} == {"Blocked"}
    return Failed(
        name="Blocked" if is_blocked else "Failed",
        message=f"{files}: {', '.join(parts)}",
    )


def _document(name: str, state: State[Any]) -> dict[str, Any]:
    return {
        "training_file": name,
        "state": state.name,
        "message": state.message,
        "flow_run_id": str(state.state_details.flow_run_id),
    }
