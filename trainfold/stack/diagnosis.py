"""The local stack of this machine: room on its disk, its services, and their ports."""

import shutil
from collections.abc import Collection, Iterator
from enum import StrEnum
from pathlib import Path

from domain.diagnosis import Check, failed, passed, warning
from trainfold.stack.loopback import are_free, get
from trainfold.stack.services import BACKING_SERVICES, Service, StackState

GIB = 1024**3
MIN_FREE_BYTES = 2 * GIB
"""The S3 server turns read-only at one gibibyte."""
HEALTH_PATHS = {Service.S3: "/", Service.PREFECT: "/api/health", Service.CONSOLE: "/health"}


class StackFault(StrEnum):
    DISK_LOW = "disk-low"
    STOPPED = "service-stopped"
    UNHEALTHY = "service-unhealthy"
    PORT_TAKEN = "port-taken"


Fault = StackFault


def check_stack(
    home: Path, services: Collection[Service], *, min_free_bytes: int = MIN_FREE_BYTES
) -> Iterator[Check]:
    """Check the services of the stack that are used; starts nothing."""
    yield _disk(home, min_free_bytes)
    state = StackState(home)
    for service in Service:
        if service in services:
            yield _service(state, service)


def _disk(home: Path, min_free_bytes: int) -> Check:
    name = "stack.disk"
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    seen = f"{free / GIB:.1f} GiB free at {home}"
    if free < min_free_bytes:
        return failed(
            name,
            Fault.DISK_LOW,
            f"The disk is nearly full: {seen}; {min_free_bytes / GIB:.1f} are needed. Nothing was "
            "changed. Make room, or move the stack (TRAINFOLD_HOME).",
        )
    return passed(name, seen)


def _service(state: StackState, service: Service) -> Check:
    name = f"stack.{service}"
    if state.ready_process(service) is None:
        return _stopped(name, state, service)
    address = state.address(service)
    path = HEALTH_PATHS.get(service)
    if path is not None and get(f"{address}{path}") is None:
        log = state.status(service).log
        return failed(
            name,
            Fault.UNHEALTHY,
            f"{service.label} runs at {address} and does not answer. Nothing was changed. Its log "
            f"is {log}; `trainfold down` and `trainfold up` start it anew.",
        )
    return passed(name, f"{service.label} runs at {address}")


def _stopped(name: str, state: StackState, service: Service) -> Check:
    ports = state.last_ports(service)
    if ports and not are_free(ports):
        return failed(
            name,
            Fault.PORT_TAKEN,
            f"{service.label} does not run, and another program listens on its port "
            f"({', '.join(map(str, ports))}). Nothing was changed. `trainfold up` starts it on "
            "another; addresses that were noted down change.",
        )
    text = f"{service.label} does not run. Nothing was changed. `trainfold up` starts it."
    return (failed if service in BACKING_SERVICES else warning)(name, Fault.STOPPED, text)
