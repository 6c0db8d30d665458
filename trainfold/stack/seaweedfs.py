"""SeaweedFS's S3 server: master, volume server, filer and S3 gateway in one process."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import psutil

from trainfold.stack import processes
from trainfold.stack.credentials import read_credentials
from trainfold.stack.loopback_http import get
from trainfold.stack.ports import LOOPBACK
from trainfold.stack.seaweedfs_setup import SeaweedPorts, command, write_configuration
from trainfold.stack.server import Server
from trainfold.stack.services import Service

_START_TIMEOUT = timedelta(seconds=60)
# After SIGTERM the filer waits 15 s for its own subscription to end. What a client was told
# is stored is in the kernel's hands by then: only requests under way need the grace.
_STOP_GRACE = timedelta(seconds=1)


class SeaweedServer(Server):
    service = Service.S3
    port_count = len(SeaweedPorts._fields)

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        folder = self.home / "seaweedfs"
        data = self.home / "s3"
        for directory in (folder, data):
            directory.mkdir(mode=0o700, exist_ok=True)
        write_configuration(folder, read_credentials(self.home))
        return processes.spawn(
            command(SeaweedPorts(*ports), data=data),
            log=self.log,
            cwd=folder,
            # AWS_* would add an identity to the gateway, WEED_* override its configuration.
            env=processes.environment_without("AWS_", "WEED_", "S3_"),
        )

    def await_ready(self, process: psutil.Process, ports: Sequence[int]) -> None:
        seaweed_ports = SeaweedPorts(*ports)
        processes.wait_until(
            lambda: _is_ready(process, seaweed_ports),
            process=process,
            timeout=_START_TIMEOUT,
            log=self.log,
        )

    def stop(self, process: psutil.Process) -> None:
        sockets = _unix_sockets(process)
        processes.stop(process, grace=_STOP_GRACE)
        for path in sockets:
            path.unlink(missing_ok=True)

    def address(self, ports: Sequence[int]) -> str:
        return f"http://{LOOPBACK}:{SeaweedPorts(*ports).s3}"

    def connection(self, ports: Sequence[int]) -> Mapping[str, str | None]:
        credentials = read_credentials(self.home)
        return {
            "s3_endpoint_url": self.address(ports),
            "s3_access_key": credentials.s3_access_key,
            "s3_secret_key": credentials.s3_secret_key,
        }


def _is_ready(process: psutil.Process, ports: SeaweedPorts) -> bool:
    """The gateway refuses strangers, and there is room for the first object of a bucket."""
    if not processes.listens(process, ports.s3):
        return False
    gateway = get(f"http://{LOOPBACK}:{ports.s3}/")
    topology = get(f"http://{LOOPBACK}:{ports.master}/dir/status")
    return (
        gateway is not None
        and gateway.status == HTTPStatus.FORBIDDEN
        and topology is not None
        and json.loads(topology.body)["Topology"]["Max"] > 0
    )


def _unix_sockets(process: psutil.Process) -> list[Path]:
    """Most of them it makes in /tmp, whatever its options say, and it removes few."""
    try:
        connections = process.net_connections("unix")
    except psutil.Error:
        return []
    paths = (Path(each.laddr) for each in connections)
    return [path for path in paths if path.is_absolute()]
