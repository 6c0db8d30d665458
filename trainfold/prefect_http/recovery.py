"""Recovery of runs whose process is gone.

Prefect learns from a worker that a run's process ended. After a power cut or `kill -9` nobody tells
it: the run stays Pending or Running for ever, unless the automations notice missing heartbeats.
"""

from collections.abc import Collection, Mapping
from typing import Any

from trainfold.prefect_http.client import PrefectApi
from trainfold.prefect_http.registration import TAG

MAX_RUNS = 3
_UNDER_WAY = ("PENDING", "RUNNING", "CANCELLING")
_PAGE = 200
_LOST = "Its process was gone when the worker started."


def recover_lost_runs(api: PrefectApi, *, alive: Collection[str]) -> list[str]:
    """Run again what was under way and has no process; return the ids of these runs.

    `alive` are the ids of runs that have a process. A run that is lost four times stays Crashed:
    it may kill its process. A retry is safe: a request that made its version returns it.
    """
    body = {
        "flow_runs": {"tags": {"all_": [TAG]}, "state": {"type": {"any_": _UNDER_WAY}}},
        "limit": _PAGE,
    }
    recovered = []
    for run in api.post("/flow_runs/filter", body):
        # A run within a run has the process of the outer one, which makes another when retried.
        is_lost = not alive if run["parent_task_run_id"] else run["id"] not in alive
        if is_lost and _end(api, run) and _runs_again(run):
            again = {
                "type": "SCHEDULED",
                "name": "AwaitingRetry",
                "message": f"Retried. {_LOST}",
            }
            if _set_state(api, run, again):
                recovered.append(str(run["id"]))
    return recovered


def _end(api: PrefectApi, run: Mapping[str, Any]) -> bool:
    """Give a lost run the state in which it ended; False if it has moved on by itself."""
    if run["state_type"] == "CANCELLING":
        return _set_state(api, run, {"type": "CANCELLED", "name": "Cancelled", "message": _LOST})
    return _set_state(api, run, {"type": "CRASHED", "name": "Crashed", "message": _LOST})


def _runs_again(run: Mapping[str, Any]) -> bool:
    return bool(
        run["deployment_id"] and run["state_type"] != "CANCELLING" and run["run_count"] <= MAX_RUNS
    )


def _set_state(api: PrefectApi, run: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    answer = api.post(f"/flow_runs/{run['id']}/set_state", {"state": state})
    return bool(answer["status"] == "ACCEPT")
