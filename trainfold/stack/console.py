"""The console of the local stack, on loopback.

It is open to all users of this machine, unless the home has a file of those who may sign in.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus

import psutil

from trainfold.stack import processes
from trainfold.stack.loopback import LOOPBACK, get
from trainfold.stack.server import PolledServer
from trainfold.stack.services import Service


class ConsoleServer(PolledServer):
    service = Service.CONSOLE
    start_timeout = timedelta(seconds=60)
    stop_grace = timedelta(seconds=5)

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        own = {
            "TRAINFOLD_HOME": str(self.home),
            "TRAINFOLD_CONSOLE_HOST": LOOPBACK,
            "TRAINFOLD_CONSOLE_PORT": str(ports[0]),
        }
        users = self.home / "console-users"
        if users.exists():
            own["TRAINFOLD_CONSOLE_USERS_FILE"] = str(users)
        return processes.spawn(
            [sys.executable, "-m", "console"],
            log=self.log,
            cwd=self.home,
            # TRAINFOLD_CONSOLE_* may configure another console, which others reach.
            env=self.environment("TRAINFOLD_CONSOLE_") | own,
        )

    def is_ready(self, process: psutil.Process, ports: Sequence[int]) -> bool:
        if not processes.listens(process, ports[0]):
            return False
        health = get(f"{self.address(ports)}/health")
        return health is not None and health.status == HTTPStatus.NO_CONTENT

    def address(self, ports: Sequence[int]) -> str:
        return f"http://{LOOPBACK}:{ports[0]}"

    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        return {"console_url": self.address(ports)}
