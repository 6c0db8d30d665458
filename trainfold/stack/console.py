"""The console of the local stack: on loopback, for the people of this machine."""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus

import psutil

from trainfold.stack import processes
from trainfold.stack.loopback_http import get
from trainfold.stack.ports import LOOPBACK
from trainfold.stack.server import Server
from trainfold.stack.services import Service

_START_TIMEOUT = timedelta(seconds=60)
_STOP_GRACE = timedelta(seconds=5)


class Console(Server):
    service = Service.CONSOLE

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        # What is set for a console that others reach is not for this one.
        own = {
            "TRAINFOLD_HOME": str(self.home),
            "TRAINFOLD_CONSOLE_HOST": LOOPBACK,
            "TRAINFOLD_CONSOLE_PORT": str(ports[0]),
        }
        return processes.spawn(
            [sys.executable, "-m", "console"],
            log=self.log,
            cwd=self.home,
            env=processes.environment_without("TRAINFOLD_CONSOLE_") | own,
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
        return f"http://{LOOPBACK}:{ports[0]}"

    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        return {"console_url": self.address(ports)}

    def _is_ready(self, process: psutil.Process, ports: Sequence[int]) -> bool:
        if not processes.listens(process, ports[0]):
            return False
        health = get(f"{self.address(ports)}/health")
        return health is not None and health.status == HTTPStatus.NO_CONTENT
