"""The services of the local stack, and what can be told about each."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Service(StrEnum):
    POSTGRES = "postgresql"
    S3 = "s3"
    PREFECT = "prefect"
    WORKER = "worker"
    """Carries out what is submitted to Prefect; started when Prefect runs."""
    CONSOLE = "console"
    """The pages for people."""

    @property
    def label(self) -> str:
        """The name that people know it by."""
        return _LABELS[self]


SERVERS = (Service.POSTGRES, Service.S3, Service.PREFECT)
"""What the data and the runs are kept by; the worker and the console need all three."""

_LABELS = {
    Service.POSTGRES: "PostgreSQL",
    Service.S3: "SeaweedFS (S3)",
    Service.PREFECT: "Prefect",
    Service.WORKER: "Prefect worker",
    Service.CONSOLE: "Console",
}


@dataclass(frozen=True)
class ServiceStatus:
    """What may be shown to anyone: the address has no password in it."""

    service: Service
    running: bool
    address: str | None
    pid: int | None
    log: Path
