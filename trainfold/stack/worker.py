"""A Prefect worker of this machine, which runs what is submitted to the stack's server."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import psutil

from domain.errors import TrainfoldError
from trainfold.prefect_http.client import PrefectApi
from trainfold.prefect_http.recovery import recover_lost_runs
from trainfold.prefect_http.registration import WORK_POOL, fingerprint, register
from trainfold.stack import processes
from trainfold.stack.errors import StackError
from trainfold.stack.home import PrivateJsonFile
from trainfold.stack.prefect import prefect_home, worker_environment
from trainfold.stack.server import PolledServer
from trainfold.stack.services import Service

NAME = "local"
RUN_ID_VARIABLE = "PREFECT__FLOW_RUN_ID"
"""A worker gives it to the process of each run."""
API_PATIENCE = timedelta(seconds=30)
"""A server that has just started is busy with what was left."""
MAX_RUNS = 4
"""How many runs are under way at once; each is a process of its own."""


class WorkerServer(PolledServer):
    service = Service.WORKER
    port_count = 0
    start_timeout = timedelta(seconds=60)
    # A run that is under way may end; one that takes longer is killed, and runs again after `up`.
    stop_grace = timedelta(seconds=30)

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        """Register the deployments, if they are not those of this release, and start."""
        try:
            self._register()
            self._recover()
        except TrainfoldError as error:
            raise StackError(str(error)) from error
        pool = ["--pool", WORK_POOL, "--type", "process"]
        limits = ["--name", NAME, "--limit", str(MAX_RUNS)]
        return processes.spawn(
            [sys.executable, "-m", "prefect", "worker", "start", *pool, *limits],
            log=self.log,
            cwd=prefect_home(self.home),
            env=self.environment("PREFECT_") | self._prefect_environment(),
        )

    def is_ready(self, process: psutil.Process, ports: Sequence[int]) -> bool:
        """Return whether Prefect got a heartbeat of the worker since this process started."""
        try:
            workers = self._api().post(f"/work_pools/{WORK_POOL}/workers/filter", {})
        except TrainfoldError:
            return False
        return any(
            worker["name"] == NAME
            and _timestamp(worker["last_heartbeat_time"]) >= process.create_time()
            for worker in workers
        )

    def address(self, ports: Sequence[int]) -> str:
        base = self._prefect()["prefect_api_url"].removesuffix("/api")
        return f"{base}/work-pools/work-pool/{WORK_POOL}"

    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        return {"work_pool": WORK_POOL}

    def _register(self) -> None:
        """Register only what changed, so that a schedule that a user switched in Prefect stays."""
        scheduled_rebuild = self.options.scheduled_rebuild
        current = fingerprint(scheduled_rebuild=scheduled_rebuild)
        with PrivateJsonFile(prefect_home(self.home) / "registered.json").change() as registered:
            if registered.get("fingerprint") == current:
                return
            register(
                self._api(),
                environment=self._prefect_environment(),
                scheduled_rebuild=scheduled_rebuild,
            )
            registered["fingerprint"] = current

    def _recover(self) -> None:
        """Retry the runs of a worker that is gone, with its processes."""
        # Processes of another machine's worker cannot be seen from here.
        if not self._others_work():
            recover_lost_runs(self._api(), alive=processes.environment_values(RUN_ID_VARIABLE))

    def _others_work(self) -> bool:
        """Return whether the pool has another worker that has been heard of lately."""
        workers = self._api().post(f"/work_pools/{WORK_POOL}/workers/filter", {})
        return any(
            worker["name"] != NAME and worker.get("status") == "ONLINE" for worker in workers
        )

    def _api(self) -> PrefectApi:
        prefect = self._prefect()
        return PrefectApi(
            prefect["prefect_api_url"], auth=prefect["prefect_auth"], patience=API_PATIENCE
        )

    def _prefect_environment(self) -> dict[str, str]:
        prefect = self._prefect()
        return worker_environment(
            self.home, prefect["prefect_api_url"], auth=prefect["prefect_auth"]
        )

    def _prefect(self) -> Mapping[str, Any]:
        """Return how to connect to the stack's Prefect server; raise StackError if it is down."""
        connections = self.state.connections()
        if "prefect_api_url" not in connections:
            raise StackError("A worker needs the stack's Prefect server, which does not run.")
        return connections


def _timestamp(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
