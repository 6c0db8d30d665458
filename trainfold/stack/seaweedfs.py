"""SeaweedFS's S3 server: master, volume server, filer and S3 gateway in one process.

Only the gateway, which asks for S3 credentials, is open to other users of the machine. The other
parts require a client's certificate, which the server itself and `is_ready` have.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from trainfold.stack import processes
from trainfold.stack.certificates import CERTIFICATE, KEY, peer_context, write_certificate
from trainfold.stack.errors import StackError
from trainfold.stack.home import Credentials, read_credentials, write_private_json
from trainfold.stack.loopback import LOOPBACK, are_free, get
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


_GRPC_SOCKETS = Path("/tmp")  # noqa: S108 - `weed server` has no option for it


class SeaweedServer(PolledServer):
    service = Service.S3
    port_count = len(SeaweedPorts._fields)
    start_timeout = timedelta(seconds=60)
    # After SIGTERM the filer waits 15 s for its own subscription to end. Data that a client was
    # told is stored is in the kernel's hands by then: only requests under way need the grace.
    stop_grace = timedelta(seconds=1)

    def can_use(self, ports: Sequence[int]) -> bool:
        return are_free(ports) and not any(map(_is_foreign, _grpc_sockets(ports)))

    def launch(self, ports: Sequence[int]) -> psutil.Process:
        folder, data = self._folder, self.home / "s3"
        for directory in (folder, data):
            directory.mkdir(mode=0o700, exist_ok=True)
        write_certificate(folder)
        _write_configuration(folder, read_credentials(self.home))
        return processes.spawn(
            _command(SeaweedPorts(*ports), data=data),
            log=self.log,
            cwd=folder,
            # AWS_* would add an identity to the gateway, WEED_* override its configuration.
            env=self.environment("AWS_", "WEED_", "S3_"),
        )

    def is_ready(self, process: psutil.Process, ports: Sequence[int]) -> bool:
        """Return whether the gateway refuses strangers and has room for a bucket's first object."""
        named = SeaweedPorts(*ports)
        if not processes.listens(process, named.s3):
            return False
        _require_own_sockets(ports)
        gateway = get(f"http://{LOOPBACK}:{named.s3}/")
        master = f"https://{LOOPBACK}:{named.master}/dir/status"
        topology = get(master, context=peer_context(self._folder))
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

    @property
    def _folder(self) -> Path:
        return self.home / "seaweedfs"

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
    """Write the gateway's one identity, and what closes the other listeners."""
    keys = {"accessKey": credentials.s3_access_key, "secretKey": credentials.s3_secret_key}
    identity = {"name": "trainfold", "credentials": [keys], "actions": ["Admin"]}
    write_private_json(folder / "s3.json", {"identities": [identity]})
    # The file also hides one in the user's own ~/.seaweedfs.
    write_private_json(folder / "security.json", _security(credentials.seaweedfs_signing_key))


def _security(signing_key: str) -> dict[str, Any]:
    """Return the configuration that closes master, volume server and filer to other users.

    Loopback and the white list of addresses let in every user of the machine, and pages in their
    browsers. The master signs a token for whoever asks it, so tokens alone close nothing.
    """
    pair = {"cert": CERTIFICATE, "key": KEY}
    guarded = {**pair, "ca": CERTIFICATE}
    token = {"key": signing_key, "read": {"key": signing_key}}
    return {
        "jwt": {"signing": token, "filer_signing": token},
        "grpc": {"ca": CERTIFICATE, **dict.fromkeys(("master", "volume", "filer", "s3"), pair)}
        | {"client": pair},
        "https": {
            **dict.fromkeys(("master", "volume", "filer"), guarded),
            "client": {"enabled": True, **guarded},
        },
    }


def _grpc_sockets(ports: Sequence[int]) -> list[Path]:
    """List the sockets by which the parts call each other, at paths that anybody can foresee."""
    named = SeaweedPorts(*ports)._asdict()
    return [
        _GRPC_SOCKETS / f"seaweedfs-{part}-grpc-{named[f'{part}_grpc']}.sock"
        for part in ("s3", "master", "volume", "filer")
    ]


def _is_foreign(path: Path) -> bool:
    try:
        return path.lstat().st_uid != os.geteuid()
    except FileNotFoundError:
        return False


def _require_own_sockets(ports: Sequence[int]) -> None:
    """Raise StackError if another user took a socket's path, and could pose as a part of ours."""
    for path in filter(_is_foreign, _grpc_sockets(ports)):
        raise StackError(f"Another user made {path} while SeaweedFS started.")


def _unix_sockets(process: psutil.Process) -> list[Path]:
    """List the sockets to remove: most are in /tmp, whatever the options say, and few go away."""
    try:
        connections = process.net_connections("unix")
    except psutil.Error:
        return []
    paths = (Path(connection.laddr) for connection in connections)
    return [path for path in paths if path.is_absolute()]
