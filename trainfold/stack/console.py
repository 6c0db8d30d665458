"""The console of the local stack, on loopback.

It lets in whoever has the home's key (`trainfold open`); or else, if the home has a file
`console-users`, those users.
"""

import secrets
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import psutil

from trainfold.stack import processes
from trainfold.stack.home import PrivateJsonFile
from trainfold.stack.loopback import LOOPBACK, get
from trainfold.stack.server import PolledServer
from trainfold.stack.services import Service

USERS = "console-users"
SECRETS = "console.json"
"""Of all consoles that use a home: what signs cookies, and the key to enter with."""


def console_secrets(home: Path) -> Mapping[str, str]:
    """Return the home's secrets for consoles; generate them the first time."""
    home.mkdir(parents=True, exist_ok=True)
    with PrivateJsonFile(home / SECRETS).change() as content:
        for name in ("secret", "key"):
            content.setdefault(name, secrets.token_hex(32))
    return content


def console_link(home: Path, address: str) -> str:
    """Return the address that opens the stack's console, with its key unless users sign in."""
    if (home / USERS).exists():
        return address
    return entry_link(address, console_secrets(home)["key"])


def entry_link(address: str, key: str) -> str:
    return f"{address}/enter?key={key}"


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
        users = self.home / USERS
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
