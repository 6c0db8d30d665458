"""Runs the services of compose.yaml without an engine for containers.

Its very commands, variables and health checks, with service names as addresses of this machine.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from trainfold.stack import processes

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]


class Host:
    """A machine's worth of services; `places` says what their addresses are here."""

    def __init__(self, home: Path, services: Mapping[str, Any], places: Mapping[str, str]) -> None:
        self._home = home
        self._services = services
        self._places = places
        self._path = f"{BIN}{os.pathsep}{os.environ['PATH']}"

    def elsewhere(self, **places: str) -> "Host":
        """The same host, with one more service of a kind at a place of its own."""
        return Host(self._home, self._services, places | dict(self._places))

    def here(self, text: str) -> str:
        for there, here in self._places.items():
            text = text.replace(there, here)
        return text

    def environment(self, service: str, **more: str) -> dict[str, str]:
        """What the service's program sees, and nothing of the tests' own configuration."""
        given = self._services[service]["environment"]
        image = {
            "PREFECT_HOME": str(self._home / service),
            "PREFECT_LOCAL_STORAGE_PATH": str(self._home / "results"),
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(self._home / service / "ui"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "TRAINFOLD_HOME": str(self._home / "no-local-stack"),
            "HOME": str(self._home),
            "PATH": self._path,
        }
        return {name: self.here(value) for name, value in (image | given | more).items()}

    @contextmanager
    def running(
        self, service: str, *arguments: str, name: str | None = None, **environment: str
    ) -> Iterator[psutil.Process]:
        """The service, until the end of the block; ready when its health check says so."""
        log = self._home / f"{name or service}.log"
        process = processes.spawn(
            [*map(self.here, self._services[service]["command"]), *arguments],
            log=log,
            cwd=ROOT,
            env=self.environment(service, **environment),
        )
        try:
            self._await_health(service, process, log)
            yield process
        finally:
            stop(process)

    def run(self, service: str, command: Sequence[str] = (), *, cwd: Path = ROOT) -> str:
        """A service that ends, or another command in its place; its output."""
        done = subprocess.run(
            [*map(self.here, command or self._services[service]["command"])],
            env=self.environment(service),
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _await_health(self, service: str, process: psutil.Process, log: Path) -> None:
        kind, *check = self._services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        deadline = time.monotonic() + 180
        while not self._is_healthy(service, check):
            assert process.is_running(), log.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < deadline, f"{service} is not healthy, see {log}"
            time.sleep(0.5)

    def _is_healthy(self, service: str, check: Sequence[str]) -> bool:
        command = [self.here(part) for part in check]
        done = subprocess.run(
            command, env=self.environment(service), capture_output=True, check=False
        )
        return done.returncode == 0


def stop(process: psutil.Process) -> None:
    """As the engine does: SIGTERM, then SIGKILL for what is left."""
    family = [process, *process.children(recursive=True)]
    process.terminate()
    _, left = psutil.wait_procs(family, timeout=40)
    for each in left:
        each.kill()
