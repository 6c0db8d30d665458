"""The variables that the programs of one stack need to work with its Prefect server."""

from pathlib import Path

# Read by the server, its clients and its workers.
_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
}


def prefect_home(home: Path) -> Path:
    return home / "prefect"


def prefect_environment(home: Path, api_url: str, *, auth: str | None = None) -> dict[str, str]:
    """The PREFECT_* variables of a client or worker of the stack in this home directory."""
    return {
        **_QUIET,
        **({"PREFECT_API_AUTH_STRING": auth} if auth else {}),
        "PREFECT_HOME": str(prefect_home(home)),
        "PREFECT_API_URL": api_url,
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS": "16",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }


def worker_environment(home: Path, api_url: str, *, auth: str | None) -> dict[str, str]:
    """The variables of the worker and of the flows that it starts."""
    return {
        **prefect_environment(home, api_url, auth=auth),
        "TRAINFOLD_HOME": str(home),
        # Somebody who has clicked waits for it.
        "PREFECT_WORKER_QUERY_SECONDS": "2",
    }


def server_environment(home: Path, *, auth: str | None) -> dict[str, str]:
    """The variables of the server itself."""
    services = "PREFECT_SERVER_SERVICES"
    return {
        **_QUIET,
        **({"PREFECT_SERVER_API_AUTH_STRING": auth} if auth else {}),
        # Wherever a browser has the pages from, there it finds the API.
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_HOME": str(prefect_home(home)),
        # By default the UI is unpacked into the Python package, which other servers share.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(prefect_home(home) / "ui"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # In batches a task run costs the server less than half.
        f"{services}_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
        f"{services}_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        f"{services}_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        f"{services}_DB_VACUUM_ENABLED": "events,flow_runs",
        f"{services}_DB_VACUUM_RETENTION_PERIOD": str(30 * 24 * 3600),
        # Leases in memory can stick after the server was restarted.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
    }
