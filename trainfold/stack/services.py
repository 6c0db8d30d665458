"""The services of the local stack, and the record of those that run: `stack.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from trainfold.stack import processes
from trainfold.stack.home import PrivateJsonFile


class Service(StrEnum):
    POSTGRES = "postgresql"
    S3 = "s3"
    PREFECT = "prefect"
    WORKER = "worker"
    """Carries out what is submitted to Prefect; started when Prefect runs."""
    CONSOLE = "console"
    """Serves the web pages."""

    @property
    def label(self) -> str:
        """Return the name that users know the service by."""
        return _LABELS[self]


BACKING_SERVICES = (Service.POSTGRES, Service.S3, Service.PREFECT)
"""They hold the data and the runs; the worker and the console need all three."""

SERVICES_BY_NAME = {
    "database": Service.POSTGRES,
    "s3": Service.S3,
    "prefect": Service.PREFECT,
    "worker": Service.WORKER,
    "console": Service.CONSOLE,
}
"""By the names that commands and settings give to what they need."""

_LABELS = {
    Service.POSTGRES: "PostgreSQL",
    Service.S3: "SeaweedFS (S3)",
    Service.PREFECT: "Prefect",
    Service.WORKER: "Prefect worker",
    Service.CONSOLE: "Console",
}
# The settings read these keys of stack.json; a service is ready exactly while its keys are there.
_CONNECTION_KEYS = {
    Service.POSTGRES: ("database_url",),
    Service.S3: ("s3_endpoint_url", "s3_access_key", "s3_secret_key"),
    Service.PREFECT: ("prefect_api_url", "prefect_auth"),
    Service.WORKER: ("work_pool",),
    Service.CONSOLE: ("console_url",),
}
_FENCE = 1
"""Counts up when servers that run must be replaced, because other users could use them."""


@dataclass(frozen=True)
class ServiceStatus:
    """What may be shown to anyone: the address has no password in it."""

    service: Service
    running: bool
    address: str | None
    pid: int | None
    log: Path


def _listens(process: psutil.Process, ports: Sequence[int]) -> bool:
    """Return whether the process is whole: a server that is ending may live on for a while."""
    try:
        return processes.listens(process, *ports)
    except psutil.NoSuchProcess:
        return False


def log_path(home: Path, service: Service) -> Path:
    return home / "logs" / f"{service}.log"


class StackState:
    """The record of one home directory. It may be stale, so every process in it is looked up."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stack = PrivateJsonFile(home / "stack.json")
        self._last_ports = PrivateJsonFile(home / "ports.json")

    def status(self, service: Service) -> ServiceStatus:
        process = self.ready_process(service)
        return ServiceStatus(
            service=service,
            running=process is not None,
            address=self.address(service) if process else None,
            pid=process.pid if process else None,
            log=log_path(self._home, service),
        )

    def process(self, service: Service) -> psutil.Process | None:
        """Return the live process of a service, ready or not."""
        entry: dict[str, Any] | None = self._stack.read().get("processes", {}).get(service)
        return processes.find(entry["pid"], create_time=entry["create_time"]) if entry else None

    def ready_process(self, service: Service) -> psutil.Process | None:
        """Return the live process of a service that clients can use; others cannot."""
        content = self._stack.read()
        entry = content.get("processes", {}).get(service, {})
        is_ready = all(key in content for key in _CONNECTION_KEYS[service])
        process = self.process(service) if is_ready and entry.get("fence") == _FENCE else None
        return process if process and _listens(process, entry["ports"]) else None

    def address(self, service: Service) -> str:
        """Return the address of a recorded service."""
        return str(self._stack.read()["processes"][service]["address"])

    def connections(self) -> Mapping[str, Any]:
        """Return what `record_ready` published of all services that are ready."""
        return self._stack.read()

    def last_ports(self, service: Service) -> list[int]:
        """Return the ports that the service was last ready on; none before its first start."""
        return list(self._last_ports.read().get(service, []))

    def record_launch(
        self, service: Service, process: psutil.Process, ports: Sequence[int], *, address: str
    ) -> None:
        """Record a process before it is ready, so that the next command finds it in any case."""
        with self._stack.change() as content:
            content.setdefault("processes", {})[service] = {
                "pid": process.pid,
                "create_time": process.create_time(),
                "ports": list(ports),
                "address": address,
                "fence": _FENCE,
            }

    def record_ready(
        self, service: Service, ports: Sequence[int], *, connection: Mapping[str, str | None]
    ) -> None:
        """Publish how clients connect to a service."""
        with self._last_ports.change() as last_ports:
            last_ports[service] = list(ports)
        with self._stack.change() as content:
            content.update(connection)

    def forget(self, service: Service) -> None:
        """Remove the record of a service that no longer runs."""
        with self._stack.change() as content:
            content.get("processes", {}).pop(service, None)
            for key in _CONNECTION_KEYS[service]:
                content.pop(key, None)
