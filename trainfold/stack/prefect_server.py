"""Prefect's server, with SQLite."""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus

import psutil

from trainfold.stack import processes
from trainfold.stack.loopback_http import get
from trainfold.stack.prefect_environment import prefect_home, server_environment
from trainfold.stack.server import Server
from trainfold.stack.services import Service

# The first start migrates a new database, which takes up to 40 s.
_START_TIMEOUT = timedelta(seconds=120)
_STOP_GRACE = timedelta(seconds=15)


class PrefectServer(Server):
    service = Service.PREFECT

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        folder = prefect_home(self.home)
        folder.mkdir(mode=0o700, exist_ok=True)
        arguments = ["--host", self.options.prefect_host, "--port", str(ports[0])]
        return processes.spawn(
            [sys.executable, "-m", "prefect", "server", "start", *arguments],
            log=self.log,
            # Prefect reads prefect.toml, pyproject.toml and .env of its working directory.
            cwd=folder,
            env=processes.environment_without("PREFECT_")
            | server_environment(self.home, auth=self.options.prefect_auth),
        )

    def await_ready(self, process: psutil.Process, ports: Sequence[int]) -> None:
        processes.wait_until(
            lambda: self._is_ready(process, ports),
            process=process,
            timeout=_START_TIMEOUT,
            log=self.log,
        )

    def stop(self, process: psutil.Process) -> None:
        processes.stop(process, grace=_STOP_GRACE)

    def address(self, ports: Sequence[int]) -> str:
        return f"http://{self.options.prefect_address}:{ports[0]}"

    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        return {
            "prefect_api_url": f"{self.address(ports)}/api",
            "prefect_auth": self.options.prefect_auth,
        }

    def _is_ready(self, process: psutil.Process, ports: Sequence[int]) -> bool:
        if not processes.listens(process, ports[0]):
            return False
        health = get(f"{self.address(ports)}/api/health")
        return health is not None and health.status == HTTPStatus.OK
