"""How SeaweedFS is configured for one user of one machine."""

import sys
from pathlib import Path
from typing import NamedTuple

from trainfold.stack.credentials import Credentials
from trainfold.stack.ports import LOOPBACK
from trainfold.stack.private_json import write_private_json


class SeaweedPorts(NamedTuple):
    """Every listener has an explicit port: SeaweedFS's defaults would meet another home's."""

    s3: int
    s3_grpc: int
    master: int
    master_grpc: int
    volume: int
    volume_grpc: int
    filer: int
    filer_grpc: int


def command(ports: SeaweedPorts, *, data: Path) -> list[str]:
    """The command line; its relative paths are in the folder of write_configuration."""
    listeners = {
        f"{name.replace('_', '.port.') if '_' in name else f'{name}.port'}": port
        for name, port in ports._asdict().items()
    }
    options = {"ip": LOOPBACK, "ip.bind": LOOPBACK, "dir": data, **listeners, **_OPTIONS}
    weed = Path(sys.executable).with_name("weed")
    flags = [f"-{name}={value}" for name, value in options.items()]
    return [str(weed), "-logtostderr=true", "server", "-filer", "-s3", *flags]


_OPTIONS = {
    "master.telemetry": "false",
    # The only master leads at once. Otherwise a restart waits 10 s for an election, and a volume
    # server that meets it leaderless comes back 5 s after the gateway opened.
    "master.peers": "none",
    # A bucket takes seven volumes at its first object. They are files that grow, so a large
    # number costs nothing, while the default of eight leaves no room for a second bucket.
    "volume.max": "1000",
    "master.volumeSizeLimitMB": "1024",
    # 1 % of the disk by default, below which all becomes read-only: too much of a large one.
    "volume.minFreeSpace": "1GiB",
    "volume.preStopSeconds": "0",
    "s3.port.iceberg": "0",
    "s3.port.lance": "0",
    "s3.config": "s3.json",
    # A Unix socket's path is limited to about 100 bytes; a relative one always fits.
    "s3.localSocket": "s3.sock",
    "filer.localSocket": "filer.sock",
}


def write_configuration(folder: Path, credentials: Credentials) -> None:
    """Write the gateway's one identity, and what closes the other listeners to strangers."""
    keys = {"accessKey": credentials.s3_access_key, "secretKey": credentials.s3_secret_key}
    identity = {"name": "trainfold", "credentials": [keys], "actions": ["Admin"]}
    write_private_json(folder / "s3.json", {"identities": [identity]})
    # Without these keys any user of the machine could read objects through the filer's port.
    # The file also hides one in the user's own ~/.seaweedfs.
    signing = {"key": credentials.seaweedfs_signing_key}
    keyed = {"signing": {**signing, "read": signing}, "filer_signing": {**signing, "read": signing}}
    write_private_json(folder / "security.json", {"jwt": keyed})
