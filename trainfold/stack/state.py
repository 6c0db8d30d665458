"""`stack.json`: which processes run, and how the application connects to them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from trainfold.stack import processes
from trainfold.stack.private_json import PrivateJsonFile
from trainfold.stack.server import Server
from trainfold.stack.services import Service

# The settings read these by name; a service is ready exactly while its keys are there.
_CONNECTION_KEYS = {
    Service.POSTGRES: ("database_url",),
    Service.S3: ("s3_endpoint_url", "s3_access_key", "s3_secret_key"),
    Service.PREFECT: ("prefect_api_url", "prefect_auth"),
    Service.WORKER: ("work_pool",),
    Service.CONSOLE: ("console_url",),
}


class StackState:
    """The facts of one home directory. They may be stale: processes are looked up, not trusted."""

    def __init__(self, home: Path) -> None:
        self._stack = PrivateJsonFile(home / "stack.json")
        self._last_ports = PrivateJsonFile(home / "ports.json")

    def process(self, service: Service) -> psutil.Process | None:
        """The live process of a service, ready or not."""
        entry = self._entry(service)
        return processes.find(entry["pid"], create_time=entry["create_time"]) if entry else None

    def ready_process(self, service: Service) -> psutil.Process | None:
        """The live process of a service that clients can use."""
        content = self._stack.read()
        ready = all(key in content for key in _CONNECTION_KEYS[service])
        return self.process(service) if ready else None

    def address(self, service: Service) -> str:
        """The address of a recorded service."""
        return str(self._stack.read()["processes"][service]["address"])

    def last_ports(self, service: Service) -> list[int]:
        """The ports that the service was last ready on; empty before its first start."""
        return list(self._last_ports.read().get(service, []))

    def record_launch(self, server: Server, process: psutil.Process, ports: Sequence[int]) -> None:
        """Note a process before it is ready, so that the next command finds it in any case."""
        with self._stack.change() as content:
            content.setdefault("processes", {})[server.service] = {
                "pid": process.pid,
                "create_time": process.create_time(),
                "ports": list(ports),
                "address": server.address(ports),
            }

    def record_ready(self, server: Server, ports: Sequence[int]) -> None:
        """Publish how to connect."""
        with self._last_ports.change() as last:
            last[server.service] = list(ports)
        with self._stack.change() as content:
            content.update(server.connection(ports))

    def forget(self, service: Service) -> None:
        """Remove all that is known of a service that no longer runs."""
        with self._stack.change() as content:
            content.get("processes", {}).pop(service, None)
            for key in _CONNECTION_KEYS[service]:
                content.pop(key, None)

    def _entry(self, service: Service) -> dict[str, Any] | None:
        entry: dict[str, Any] | None = self._stack.read().get("processes", {}).get(service)
        return entry
