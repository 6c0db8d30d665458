"""A Prefect worker of this machine, which runs what is submitted to the stack's server."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import psutil

from domain.errors import TrainfoldError
from trainfold.prefect_http.client import PrefectApi
from trainfold.prefect_http.registration import WORK_POOL, fingerprint, register
from trainfold.stack import processes
from trainfold.stack.errors import StackError
from trainfold.stack.prefect_environment import prefect_home, worker_environment
from trainfold.stack.private_json import PrivateJsonFile
from trainfold.stack.server import Server
from trainfold.stack.services import Service

NAME = "local"
MOST_RUNS = 4
"""At once; each is a process of its own."""
_START_TIMEOUT = timedelta(seconds=60)
# A run that is under way may end; one that takes longer is killed, and runs again after `up`.
_STOP_GRACE = timedelta(seconds=30)


class Worker(Server):
    service = Service.WORKER
    port_count = 0

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        """Register the deployments, if they are not those of this release, and start."""
        try:
            self._register()
        except TrainfoldError as error:
            raise StackError(str(error)) from error
        pool = ["--pool", WORK_POOL, "--type", "process"]
        limits = ["--name", NAME, "--limit", str(MOST_RUNS)]
        return processes.spawn(
            [sys.executable, "-m", "prefect", "worker", "start", *pool, *limits],
            log=self.log,
            cwd=prefect_home(self.home),
            env=processes.environment_without("PREFECT_") | self._environment(),
        )

    def await_ready(self, process: psutil.Process, ports: Sequence[int]) -> None:
        processes.wait_until(
            lambda: self._is_online(since=process.create_time()),
            process=process,
            timeout=_START_TIMEOUT,
            log=self.log,
        )

    def stop(self, process: psutil.Process) -> None:
        processes.stop(process, grace=_STOP_GRACE)

    def address(self, ports: Sequence[int]) -> str:
        base = self._facts()["prefect_api_url"].removesuffix("/api")
        return f"{base}/work-pools/work-pool/{WORK_POOL}"

    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        return {"work_pool": WORK_POOL}

    def _register(self) -> None:
        """Only what changed: what people switched in Prefect, such as a schedule, stays so."""
        known = PrivateJsonFile(prefect_home(self.home) / "registered.json")
        wanted = fingerprint(scheduled_rebuild=self.options.scheduled_rebuild)
        with known.change() as content:
            if content.get("fingerprint") == wanted:
                return
            register(
                self._api(),
                environment=self._environment(),
                scheduled_rebuild=self.options.scheduled_rebuild,
            )
            content["fingerprint"] = wanted

    def _is_online(self, *, since: float) -> bool:
        try:
            workers = self._api().post(f"/work_pools/{WORK_POOL}/workers/filter", {})
        except TrainfoldError:
            return False
        return any(
            each["name"] == NAME and _moment(each["last_heartbeat_time"]) >= since
            for each in workers
        )

    def _api(self) -> PrefectApi:
        facts = self._facts()
        return PrefectApi(facts["prefect_api_url"], auth=facts["prefect_auth"])

    def _environment(self) -> dict[str, str]:
        facts = self._facts()
        return worker_environment(self.home, facts["prefect_api_url"], auth=facts["prefect_auth"])

    def _facts(self) -> dict[str, Any]:
        """How the stack's Prefect server is reached."""
        facts = PrivateJsonFile(self.home / "stack.json").read()
        if "prefect_api_url" not in facts:
            raise StackError("A worker needs the stack's Prefect server, which does not run.")
        return facts


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
