"""The stack on real processes."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from botocore.exceptions import ClientError

from tests.stack.homes import (
    DATA_SERVICES,
    down,
    facts,
    running,
    s3_client,
    temporary_home,
    up,
    wait_for,
)  # fmt: skip
from trainfold.stack import Service, Stack, StackError, prefect_environment

UP = """
import signal, sys
from pathlib import Path
# A shell's background jobs start with it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from trainfold.stack import Service, Stack
Stack(Path(sys.argv[1])).up([Service.POSTGRES, Service.S3], say=print)
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root cannot run PostgreSQL itself")


@pytest.fixture(scope="module")
def running_home() -> Iterator[Path]:
    """A stack that no test may change."""
    with temporary_home() as home:
        up(home)
        yield home


def connect(home: Path) -> psycopg.Connection:
    return psycopg.connect(facts(home)["database_url"].replace("+psycopg", ""))


def store_everywhere(home: Path) -> None:
    with connect(home) as connection:
        connection.execute("create table kept (value int)")
        connection.execute("insert into kept values (7)")
    for number in range(4):
        s3_client(home).create_bucket(Bucket=f"bucket-{number}")
        s3_client(home).put_object(Bucket=f"bucket-{number}", Key="kept", Body=b"seven")


def assert_everything_kept(home: Path) -> None:
    with connect(home) as connection:
        assert connection.execute("select value from kept").fetchall() == [(7,)]
    for number in range(4):
        stored = s3_client(home).get_object(Bucket=f"bucket-{number}", Key="kept")
        assert stored["Body"].read() == b"seven"
        s3_client(home).put_object(Bucket=f"bucket-{number}", Key="new", Body=b"eight")


@contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        yield


def test_data_outlives_down_and_up_in_a_long_path_even_on_other_ports(home: Path) -> None:
    home.chmod(0o711)
    home /= "x" * 120
    try:
        said = up(home)
        assert said[:2] == ["Starting PostgreSQL …", "Starting SeaweedFS (S3) …"]
        store_everywhere(home)
        before = facts(home)
        assert down(home) == ["SeaweedFS (S3) stopped", "PostgreSQL stopped"]
        assert facts(home) == {"processes": {}}
        assert running(home) == {}
        with taken(before["processes"]["s3"]["ports"][2]):
            up(home)
        assert_everything_kept(home)
        assert facts(home)["database_url"] == before["database_url"]
        assert facts(home)["s3_endpoint_url"] != before["s3_endpoint_url"]
    finally:
        down(home)


def test_two_commands_recover_one_stack_after_a_crash_and_another_home_sees_nothing(
    home: Path, running_home: Path
) -> None:
    neighbour = facts(running_home)
    up(home)
    store_everywhere(home)
    for pid in running(home).values():
        psutil.Process(pid).kill()
    wait_for(lambda: not running(home))
    command = [sys.executable, "-c", UP, str(home)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert sorted(output.count("Starting") for output in outputs) == [0, 2]
    assert_everything_kept(home)
    assert facts(running_home) == neighbour
    assert set(running(running_home)) == set(DATA_SERVICES)
    assert s3_client(running_home).list_buckets()["Buckets"] == []


def test_starting_and_stopping_again_changes_nothing(running_home: Path, home: Path) -> None:
    before = facts(running_home)
    said = up(running_home)
    assert said == []
    assert facts(running_home) == before
    assert down(home) == []


def test_everything_listens_on_loopback_and_on_recorded_ports_only(running_home: Path) -> None:
    for entry in facts(running_home)["processes"].values():
        process = psutil.Process(entry["pid"])
        listening = {
            tuple(connection.laddr)
            for each in (process, *process.children(recursive=True))
            for connection in each.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
        }
        assert listening == {("127.0.0.1", port) for port in entry["ports"]}


def test_secrets_are_in_private_files_only(running_home: Path) -> None:
    for name in ("stack.json", "credentials.json", "seaweedfs/s3.json", "seaweedfs/security.json"):
        assert stat.S_IMODE((running_home / name).stat().st_mode) == 0o600
    secrets = json.loads((running_home / "credentials.json").read_text()).values()
    commands = [psutil.Process(pid).cmdline() for pid in running(running_home).values()]
    shown = repr(Stack(running_home).status()) + repr(commands)
    shown += "".join(log.read_text() for log in (running_home / "logs").iterdir())
    assert not [secret for secret in secrets if secret in shown]


def test_wrong_secrets_are_refused(running_home: Path) -> None:
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        s3_client(running_home, aws_secret_access_key="wrong").list_buckets()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            facts(running_home)["database_url"].replace("+psycopg", ""), password="wrong"
        )


def test_only_processes_of_this_home_are_believed_whatever_the_files_say(home: Path) -> None:
    up(home, Service.POSTGRES)
    unrecorded = psutil.Process(running(home)[Service.POSTGRES])
    (home / "stack.json").unlink()
    up(home, Service.POSTGRES)
    assert running(home)[Service.POSTGRES] != unrecorded.pid
    down(home)
    stranger = {"pid": os.getpid(), "create_time": 1.0, "ports": [1], "address": "stale"}
    stale = {"processes": {"postgresql": stranger}, "database_url": "stale"}
    (home / "stack.json").write_text(json.dumps(stale))
    (home / "postgresql" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert running(home) == {}
    up(home, Service.POSTGRES)
    connect(home).close()


def test_a_service_that_cannot_start_says_why_and_is_not_left_half_started(home: Path) -> None:
    up(home, Service.POSTGRES)
    down(home)
    (home / "postgresql" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(StackError, match=r"(?s)did not start.*postgresql\.log.*incompatible"):
        up(home, Service.POSTGRES)
    assert facts(home) == {"processes": {}}


INTERRUPTED_UP = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from trainfold.stack import Service, Stack, StackError, processes
from trainfold.stack.postgres import PostgresServer
from trainfold.stack.seaweedfs import SeaweedServer

def never_ready(self, process, ports):
    while processes.is_alive(process):
        time.sleep(0.05)
    raise StackError("Its process ended.")

{"postgresql": PostgresServer, "s3": SeaweedServer}[sys.argv[2]].await_ready = never_ready
Stack(Path(sys.argv[1])).up([Service.POSTGRES, Service.S3], say=print)
"""


@pytest.mark.parametrize("slow", DATA_SERVICES)
def test_an_interrupted_start_leaves_nothing_running(home: Path, slow: Service) -> None:
    """Neither the one that is not ready nor the one that is already."""
    command = [sys.executable, "-c", INTERRUPTED_UP, str(home), slow]
    starting = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (other,) = set(DATA_SERVICES) - {slow}
    published = {Service.POSTGRES: "database_url", Service.S3: "s3_endpoint_url"}[other]
    wait_for(lambda: (home / "stack.json").exists() and published in facts(home))
    wait_for(lambda: slow in facts(home)["processes"])
    pids = [entry["pid"] for entry in facts(home)["processes"].values()]
    assert len(pids) == 2
    starting.send_signal(signal.SIGINT)
    assert starting.wait(60) != 0
    assert not any(map(is_running, pids))
    assert facts(home) == {"processes": {}}


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_server_that_is_ending_is_not_taken_for_one_that_runs(home: Path) -> None:
    """After SIGTERM SeaweedFS closes one port after the other, for up to 15 seconds."""
    up(home, Service.S3)
    ending = psutil.Process(running(home)[Service.S3])
    ending.terminate()
    wait_for(lambda: not running(home))
    up(home, Service.S3)
    assert running(home)[Service.S3] != ending.pid
    s3_client(home).create_bucket(Bucket="bucket")


@as_root
def test_a_home_that_postgresql_cannot_reach_is_refused(home: Path) -> None:
    with pytest.raises(StackError, match="TRAINFOLD_HOME=/var/lib/trainfold"):
        up(home / "inner")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.slow
def test_prefect_runs_in_its_own_home(home: Path) -> None:
    up(home, Service.PREFECT)
    environment = os.environ | prefect_environment(
        home, facts(home)["prefect_api_url"], auth=facts(home)["prefect_auth"]
    )
    command = [sys.executable, "-m", "prefect", "server", "status"]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Server is available" in asked.stdout
    assert (home / "prefect" / "prefect.db").exists()
    assert down(home) == ["Prefect stopped"]
