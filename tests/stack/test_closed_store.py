"""What another user of the machine can do to the local S3 server: nothing."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.stack.homes import down, facts, running, s3_client, temporary_home, up, wait_for
from tests.stack.strangers import IS_ROOT, as_stranger
from trainfold.stack import Service
from trainfold.stack.home import read_credentials, write_private_json
from trainfold.stack.loopback import choose_ports
from trainfold.stack.seaweedfs import SeaweedPorts, _command

BUCKET = "kept-files"
CONTENT = b"kept" * 500_000
WEED = Path(sys.executable).with_name("weed")


def attack_over_http(given: dict[str, Any]) -> list[tuple[str, int]]:
    """Request what destroys, lists or reads; return what was answered with which status."""
    import http.client  # noqa: PLC0415 - this function runs in a program of its own
    import ssl  # noqa: PLC0415

    anyone = ssl._create_unverified_context()
    answered = []
    for port, method, path in given["argument"]:
        for secure in (False, True):
            connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            options = {"context": anyone} if secure else {}
            connection = connect("127.0.0.1", port, timeout=5, **options)
            try:
                connection.request(method, path)
                answered.append((f"{method} {path}", connection.getresponse().status))
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
    return answered


def attack_over_grpc(given: dict[str, Any]) -> str:
    """Run SeaweedFS's own shell; return what it printed."""
    import subprocess  # noqa: PLC0415

    weed = given["files"][0]
    master, filer, commands = given["argument"]
    shell = subprocess.Popen(
        [f"/proc/self/fd/{weed}", "shell", f"-master={master}", f"-filer={filer}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=[weed],
    )
    try:
        return shell.communicate(commands, timeout=10)[0]
    except subprocess.TimeoutExpired:  # it goes on trying to connect
        shell.kill()
        return shell.communicate()[0]


def attack_unix_sockets(given: dict[str, Any]) -> list[str]:
    """Return which sockets accept a connection."""
    import socket  # noqa: PLC0415

    accepted = []
    for path in given["argument"]:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(path)
                accepted.append(path)
            except OSError:
                pass
    return accepted


@pytest.fixture(scope="module")
def store() -> Iterator[Path]:
    with temporary_home() as home:
        up(home, Service.S3)
        s3_client(home).create_bucket(Bucket=BUCKET)
        s3_client(home).put_object(Bucket=BUCKET, Key="kept", Body=CONTENT)
        yield home


def ports_of(home: Path) -> SeaweedPorts:
    return SeaweedPorts(*facts(home)["processes"]["s3"]["ports"])


def assert_kept(home: Path) -> None:
    assert s3_client(home).get_object(Bucket=BUCKET, Key="kept")["Body"].read() == CONTENT


def test_no_stranger_gets_an_answer_over_http(store: Path) -> None:
    ports = ports_of(store)
    requests = [
        (ports.master, "GET", "/dir/status"),
        (ports.master, "GET", f"/dir/assign?collection={BUCKET}"),
        (ports.master, "GET", "/vol/status"),
        (ports.master, "GET", "/cluster/status"),
        (ports.filer, "GET", f"/buckets/{BUCKET}/"),
        (ports.filer, "GET", f"/buckets/{BUCKET}/kept"),
        (ports.filer, "PUT", f"/buckets/{BUCKET}/kept"),
        (ports.filer, "DELETE", f"/buckets/{BUCKET}?recursive=true"),
        (ports.volume, "GET", "/status"),
        *((ports.volume, method, f"/{volume},01637037d6")
          for method in ("GET", "DELETE", "POST") for volume in range(1, 8)),
        (ports.s3, "GET", "/"),
        (ports.s3, "GET", f"/{BUCKET}?list-type=2"),
        (ports.s3, "DELETE", f"/{BUCKET}/kept"),
        *((port, "GET", "/") for port in ports),
        # The last, since it used to leave nothing to attack.
        (ports.master, "GET", f"/col/delete?collection={BUCKET}"),
    ]  # fmt: skip
    answered = as_stranger(attack_over_http, requests)
    assert len(answered) >= len(requests) / 2, "the attacker's requests do not arrive"
    # 400: spoke HTTP to a TLS port; 403: the gateway wants a signature.
    assert {status for _, status in answered} == {400, 403}
    assert_kept(store)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the shell is run through /proc")
def test_no_stranger_can_use_seaweedfs_own_shell(store: Path) -> None:
    ports = ports_of(store)
    commands = (
        f"fs.ls /buckets\nfs.cat /buckets/{BUCKET}/kept\nlock\nfs.rm -rf /buckets/{BUCKET}/kept\n"
        f"volume.list\ncollection.delete -collection {BUCKET} -apply\n"
    )
    addresses = (
        f"127.0.0.1:{ports.master}.{ports.master_grpc}",
        f"127.0.0.1:{ports.filer}.{ports.filer_grpc}",
    )
    shown = as_stranger(attack_over_grpc, (*addresses, commands), files=(WEED,))
    assert BUCKET not in shown
    assert_kept(store)


@pytest.mark.skipif(not IS_ROOT, reason="needs root to become another user")
def test_no_stranger_can_connect_to_its_sockets(store: Path) -> None:
    ports = ports_of(store)
    named = ports._asdict()
    paths = [
        *(f"/tmp/seaweedfs-{part}-grpc-{named[f'{part}_grpc']}.sock"
          for part in ("s3", "master", "volume", "filer")),
        *(str(store / "seaweedfs" / name) for name in ("s3.sock", "filer.sock")),
    ]  # fmt: skip
    assert all(Path(path).exists() for path in paths)
    assert as_stranger(attack_unix_sockets, paths) == []


def take_path(given: dict[str, Any]) -> None:
    """Make a socket where SeaweedFS will make one of its own."""
    import socket  # noqa: PLC0415

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(given["argument"])


@pytest.mark.skipif(not IS_ROOT, reason="needs root to become another user")
def test_a_stranger_who_takes_the_path_of_a_socket_is_evaded(home: Path) -> None:
    up(home, Service.S3)
    before = ports_of(home)
    down(home)
    path = Path(f"/tmp/seaweedfs-filer-grpc-{before.filer_grpc}.sock")
    try:
        as_stranger(take_path, str(path))
        up(home, Service.S3)
        assert ports_of(home).filer_grpc != before.filer_grpc
        s3_client(home).create_bucket(Bucket=BUCKET)
    finally:
        down(home)
        path.unlink(missing_ok=True)


def test_the_files_of_a_store_that_was_open_are_kept(home: Path) -> None:
    """The store of an earlier release, with the data that it leaves behind."""
    up(home, Service.S3)
    down(home)
    ports = SeaweedPorts(*choose_ports([], count=len(SeaweedPorts._fields)))
    folder = home / "seaweedfs"
    key = {"key": read_credentials(home).seaweedfs_signing_key}
    signing = {**key, "read": key}
    write_private_json(
        folder / "security.json", {"jwt": {"signing": signing, "filer_signing": signing}}
    )
    log = home / "logs" / "earlier.log"
    with log.open("wb") as output:
        earlier = subprocess.Popen(
            _command(ports, data=home / "s3"), cwd=folder, stdout=output, stderr=output
        )
    client = s3_client_of(home, f"http://127.0.0.1:{ports.s3}")
    try:
        wait_for(lambda: can_store(client))
        client.put_object(Bucket=BUCKET, Key="kept", Body=CONTENT)
    finally:
        earlier.kill()
        earlier.wait()
    up(home, Service.S3)
    assert_kept(home)


def s3_client_of(home: Path, address: str) -> Any:
    credentials = read_credentials(home)
    (home / "stack.json").write_text(
        json.dumps(
            {
                "s3_endpoint_url": address,
                "s3_access_key": credentials.s3_access_key,
                "s3_secret_key": credentials.s3_secret_key,
            }
        )
    )
    client = s3_client(home)
    (home / "stack.json").unlink()
    return client


def can_store(client: Any) -> bool:
    try:
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="first", Body=b"1")
    except (BotoCoreError, ClientError):
        return False
    return True


def test_a_server_that_an_earlier_release_left_open_is_replaced(home: Path) -> None:
    up(home, Service.S3)
    first = running(home)[Service.S3]
    content = facts(home)
    del content["processes"]["s3"]["fence"]
    write_private_json(home / "stack.json", content)
    up(home, Service.S3)
    assert running(home)[Service.S3] != first
