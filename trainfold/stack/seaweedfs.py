"""SeaweedFS's S3 server: master, volume server, filer and S3 gateway in one process."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import psutil

from trainfold.stack import processes
from trainfold.stack.home import Credentials, read_credentials, write_private_json
from trainfold.stack.loopback import LOOPBACK, get
from trainfold.stack.server import PolledServer
from trainfold.stack.services import Service

_OPTIONS = {
    "master.telemetry": "false",
    # The only master leads at once. Otherwise a restart waits 10 s for an election, and a volume
    # server that meets it leaderless comes back 5 s after the gateway opened.
    "master.peers": "none",
    # A bucket takes seven volumes at its first object. They are files that grow, so a large
    # number costs nothing, while the default of eight leaves no room for a second bucket.
    "volume.max": "1000",
    "master.volumeSizeLimitMB": "1024",
    # By default all becomes read-only below 1 % of the disk: too much of a large one.
    "volume.minFreeSpace": "1GiB",
    "volume.preStopSeconds": "0",
    "s3.port.iceberg": "0",
    "s3.port.lance": "0",
    "s3.config": "s3.json",
    # A Unix socket's path is limited to about 100 bytes; a relative one always fits.
    "s3.localSocket": "s3.sock",
    "filer.localSocket": "filer.sock",
}


class SeaweedPorts(NamedTuple):
    """The port of every listener, since SeaweedFS's defaults would clash with another home's."""

    s3: int
    s3_grpc: int
    master: int
    master_grpc: int
    volume: int
    volume_grpc: int
    filer: int
    filer_grpc: int


class SeaweedServer(PolledServer):
    service = Service.S3
    port_count = len(SeaweedPorts._fields)
    start_timeout = timedelta(seconds=60)
    # After SIGTERM the filer waits 15 s for its own subscription to end. Data that a client was
    # told is stored is in the kernel's hands by then: only requests under way need the grace.
    stop_grace = timedelta(seconds=1)

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        folder = self.home / "seaweedfs"
        data = self.home / "s3"
        for directory in (folder, data):
            directory.mkdir(mode=0o700, exist_ok=True)
        _write_configuration(folder, read_credentials(self.home))
        return processes.spawn(
            _command(SeaweedPorts(*ports), data=data),
            log=self.log,
            cwd=folder,
            # AWS_* would add an identity to the gateway, WEED_* override its configuration.
            env=processes.environment_without("AWS_", "WEED_", "S3_"),
        )

    def is_ready(self, process: psutil.Process, ports: Sequence[int]) -> bool:
        """Return whether the gateway refuses strangers and has room for a bucket's first object."""
        named = SeaweedPorts(*ports)
        if not processes.listens(process, named.s3):
            return False
        gateway = get(f"http://{LOOPBACK}:{named.s3}/")
        topology = get(f"http://{LOOPBACK}:{named.master}/dir/status")
        return (
            gateway is not None
            and gateway.status == HTTPStatus.FORBIDDEN
            and topology is not None
            and json.loads(topology.body)["Topology"]["Max"] > 0
        )

    def shut_down(self, process: psutil.Process) -> None:
        sockets = _unix_sockets(process)
        super().shut_down(process)
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


def _command(ports: SeaweedPorts, *, data: Path) -> list[str]:
    """Return the command line; its relative paths are in the folder of _write_configuration."""
    listeners = {
        f"{name.replace('_', '.port.') if '_' in name else f'{name}.port'}": port
        for name, port in ports._asdict().items()
    }
    options = {"ip": LOOPBACK, "ip.bind": LOOPBACK, "dir": data, **listeners, **_OPTIONS}
    weed = Path(sys.executable).with_name("weed")
    flags = [f"-{name}={value}" for name, value in options.items()]
    return [str(weed), "-logtostderr=true", "server", "-filer", "-s3", *flags]


def _write_configuration(folder: Path, credentials: Credentials) -> None:
    """Write the gateway's one identity, and the keys that close the other listeners."""
    keys = {"accessKey": credentials.s3_access_key, "secretKey": credentials.s3_secret_key}
    identity = {"name": "trainfold", "credentials": [keys], "actions": ["Admin"]}
    write_private_json(folder / "s3.json", {"identities": [identity]})
    # Without these keys any user of the machine could read objects through the filer's port.
    # The file also hides one in the user's own ~/.seaweedfs.
    key = {"key": credentials.seaweedfs_signing_key}
    signing = {**key, "read": key}
    write_private_json(
        folder / "security.json", {"jwt": {"signing": signing, "filer_signing": signing}}
    )


def _unix_sockets(process: psutil.Process) -> list[Path]:
    """List the sockets to remove: most are in /tmp, whatever the options say, and few go away."""
    try:
        connections = process.net_connections("unix")
    except psutil.Error:
        return []
    paths = (Path(connection.laddr) for connection in connections)
    return [path for path in paths if path.is_absolute()]
