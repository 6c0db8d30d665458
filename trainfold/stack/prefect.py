"""Prefect's server, with SQLite, and the variables that it, its clients and its workers need."""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import psutil

from trainfold.stack import processes
from trainfold.stack.home import read_credentials
from trainfold.stack.loopback import get
from trainfold.stack.server import PolledServer
from trainfold.stack.services import Service

USER = "trainfold"
# The server, its clients and its workers each read these.
_NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
}


def prefect_home(home: Path) -> Path:
    return home / "prefect"


def prefect_environment(home: Path, api_url: str, *, auth: str | None) -> dict[str, str]:
    """Return the PREFECT_* variables of a client or worker of the stack in this home directory."""
    return {
        **_NO_TELEMETRY,
        **({"PREFECT_API_AUTH_STRING": auth} if auth else {}),
        "PREFECT_HOME": str(prefect_home(home)),
        "PREFECT_API_URL": api_url,
        # deployments/automations.yaml crashes a run that was silent for three of these.
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS": "16",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }


def worker_environment(home: Path, api_url: str, *, auth: str | None) -> dict[str, str]:
    """Return the variables of the worker and of the flows that it starts."""
    return {
        **prefect_environment(home, api_url, auth=auth),
        "TRAINFOLD_HOME": str(home),
        # A user waits for the run that they submitted; the default is to look for runs every 10 s.
        "PREFECT_WORKER_QUERY_SECONDS": "2",
    }


def server_environment(home: Path, *, auth: str | None) -> dict[str, str]:
    """Return the variables of the server itself."""
    services = "PREFECT_SERVER_SERVICES"
    return {
        **_NO_TELEMETRY,
        **({"PREFECT_SERVER_API_AUTH_STRING": auth} if auth else {}),
        # Relative, so that pages find the API at whatever address the browser loaded them from.
        "PREFECT_SERVER_UI_API_URL": "/api",
        # By default pages of all origins may call the API.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "",
        "PREFECT_HOME": str(prefect_home(home)),
        # By default the UI is unpacked into the Python package, which other servers share.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(prefect_home(home) / "ui"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Recorded in batches, a task run costs the server 26 ms of CPU time instead of 60 ms.
        f"{services}_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
        f"{services}_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        f"{services}_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        f"{services}_DB_VACUUM_ENABLED": "events,flow_runs",
        f"{services}_DB_VACUUM_RETENTION_PERIOD": str(30 * 24 * 3600),
        # Concurrency leases in memory can stick after the server was restarted.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
    }


class PrefectServer(PolledServer):
    service = Service.PREFECT
    # The first start migrates a new database, which takes up to 40 s.
    start_timeout = timedelta(seconds=120)
    stop_grace = timedelta(seconds=15)

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        folder = prefect_home(self.home)
        folder.mkdir(mode=0o700, exist_ok=True)
        program = [sys.executable, "-m", "trainfold.stack.prefect_program"]
        return processes.spawn(
            [*program, self.options.prefect_host, str(ports[0])],
            log=self.log,
            # Prefect reads prefect.toml, pyproject.toml and .env of its working directory.
            cwd=folder,
            env=self.environment("PREFECT_") | server_environment(self.home, auth=self._auth),
        )

    def is_ready(self, process: psutil.Process, ports: Sequence[int]) -> bool:
        if not processes.listens(process, ports[0]):
            return False
        health = get(f"{self.address(ports)}/api/health")
        return health is not None and health.status == HTTPStatus.OK

    def address(self, ports: Sequence[int]) -> str:
        return f"http://{self.options.prefect_address}:{ports[0]}"

    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        return {
            "prefect_api_url": f"{self.address(ports)}/api",
            "prefect_auth": self._auth,
        }

    @property
    def _auth(self) -> str:
        """Return the configured `user:password`, or the generated one: no server is without."""
        generated = f"{USER}:{read_credentials(self.home).prefect_password}"
        return self.options.prefect_auth or generated
