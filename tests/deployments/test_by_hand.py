"""compose.yaml on this machine, service by service: no engine is needed, Debian's PostgreSQL is.

`apt-get install postgresql`; the embedded one lacks pg_trgm, which Prefect's server needs.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from soak.building import as_bytes, conversation
from tests.deployments.by_hand import Host
from tests.deployments.composition import DEPLOYMENTS, composition, new_environment
from trainfold.stack.loopback import choose_ports
from trainfold.stack.system_user import ensure_system_user, give, run_as

pytestmark = pytest.mark.slow
SEAWEED = ("master", "volume", "filer", "s3")
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
IDS = [f"00000000-0000-4000-8000-00000000000{digit}" for digit in range(3)]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Where the services keep their data; PostgreSQL's user may pass through."""
    place = Path(tempfile.mkdtemp(prefix="trainfold-compose-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return new_environment()


@pytest.fixture(scope="module")
def postgres(home: Path, environment: dict[str, str]) -> Iterator[int]:
    """Debian's PostgreSQL, set up as the image does it: our script, then connections; its port."""
    if not PROGRAMS:
        pytest.skip("Debian's PostgreSQL is not installed")
    programs = PROGRAMS[-1].parent
    ensure_system_user()
    data = home / "postgres"
    data.mkdir()
    give(data)
    secret = home / "superuser"
    secret.write_text(environment["POSTGRES_PASSWORD"], encoding="utf-8")
    give(secret)
    (port,) = choose_ports([], count=1)
    options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -p {port}"
    run(programs / "initdb", "-A", "scram-sha-256", "-U", "postgres", f"--pwfile={secret}", data)
    run(programs / "pg_ctl", "-D", data, "-o", options, "-w", "-l", data / "log", "start")
    try:
        subprocess.run(
            [DEPLOYMENTS / "postgres" / "databases.sh"],
            env=environment
            | {"POSTGRES_USER": "postgres", "POSTGRES_DB": "postgres", "PATH": os.environ["PATH"]}
            | {"PGHOST": "127.0.0.1", "PGPORT": str(port)}
            | {"PGPASSWORD": environment["POSTGRES_PASSWORD"]},
            check=True,
        )
        yield port
    finally:
        run(programs / "pg_ctl", "-D", data, "-m", "fast", "stop")


def run(*command: Any) -> None:
    subprocess.run(command, check=True, cwd="/", stdin=subprocess.DEVNULL, **run_as())


@pytest.fixture(scope="module")
def host(home: Path, environment: dict[str, str], postgres: int) -> Host:
    """The services of compose.yaml with addresses and folders of this machine."""
    prefect, s3, filer, *others = choose_ports([], count=9)
    # By default a gRPC port is the HTTP port and 10,000, which may be more than there are.
    listeners = ("master.port", "volume.port", *(f"{each}.port.grpc" for each in SEAWEED))
    inner = [f"-{name}={port}" for name, port in zip(listeners, others, strict=True)]
    services = composition(environment)["services"]
    services["s3"]["command"] += [*inner, f"-filer.port={filer}"]
    (home / "results").mkdir()
    return Host(
        home,
        services,
        {
            "@postgres:5432": f"@127.0.0.1:{postgres}",
            "s3.localhost:8333": f"127.0.0.1:{s3}",
            "-s3.port=8333": f"-s3.port={s3}",
            "127.0.0.1:8888": f"127.0.0.1:{filer}",
            "-dir=/var/lib/trainfold/s3": f"-dir={home / 's3'}",
            "http://prefect:4200": f"http://127.0.0.1:{prefect}",
            "127.0.0.1:4200": f"127.0.0.1:{prefect}",
            "4200": str(prefect),
            "0.0.0.0": "127.0.0.1",
        },
    )


@pytest.fixture(scope="module")
def api(host: Host, home: Path) -> Iterator[httpx.Client]:
    """All services but the console; a client of Prefect's API with the password."""
    (home / "s3").mkdir()
    with ExitStack() as running:
        running.enter_context(host.running("s3"))
        running.enter_context(host.running("prefect"))
        host.run("set-up")
        for port in choose_ports([], count=2):
            beside = host.elsewhere(**{"127.0.0.1:8080": f"127.0.0.1:{port}"})
            own = {"name": f"worker-{port}", "PREFECT_WORKER_WEBSERVER_PORT": str(port)}
            running.enter_context(beside.running("worker", **own))
        known = host.environment("worker")
        user, password = known["PREFECT_API_AUTH_STRING"].split(":")
        yield running.enter_context(
            httpx.Client(base_url=known["PREFECT_API_URL"], auth=(user, password), timeout=30)
        )


@pytest.fixture(scope="module")
def imported(host: Host, api: httpx.Client, home: Path) -> None:
    """Three conversations, registered by a command of the worker's image."""
    folder = home / "conversations"
    folder.mkdir()
    for id in IDS:
        (folder / f"{id}.json").write_bytes(as_bytes(conversation(id)))
    host.run("worker", ["trainfold", "import", str(folder)])


def submit(api: httpx.Client, name: str, **parameters: Any) -> dict[str, Any]:
    """Create a run through the REST API and wait for its end."""
    deployment = api.get(f"/deployments/name/add-conversations/{name}").raise_for_status().json()
    body = {"parameters": parameters}
    answer = api.post(f"/deployments/{deployment['id']}/create_flow_run", json=body)
    run: dict[str, Any] = answer.raise_for_status().json()
    deadline = time.monotonic() + 120
    while run["state_type"] not in {"COMPLETED", "FAILED", "CRASHED"}:
        assert time.monotonic() < deadline, run["state_name"]
        time.sleep(1)
        run = api.get(f"/flow_runs/{run['id']}").json()
    return run


@pytest.mark.usefixtures("imported")
def test_a_run_through_the_api_is_completed_and_its_version_is_sound(api: httpx.Client, host: Host):
    run = submit(api, "add-conversations", training_file="Composed", conversation_ids=IDS, new=True)
    assert (run["state_name"], run["run_count"]) == ("Completed", 1), run["state"]["message"]
    assert "is sound" in host.run("worker", ["trainfold", "verify", "Composed"])


@pytest.mark.usefixtures("imported")
def test_a_blocked_run_says_so(api: httpx.Client):
    unknown = ["00000000-0000-4000-8000-0000000000ff"]
    run = submit(
        api, "add-conversations", training_file="Blocked", conversation_ids=unknown, new=True
    )
    assert run["state_name"] == "Blocked"


def test_without_the_password_prefect_tells_nothing(api: httpx.Client):
    for auth in (None, ("trainfold", "wrong")):
        answer = httpx.get(f"{api.base_url}deployments/name/maintain/maintain", auth=auth)
        assert answer.status_code == 401


def test_setting_up_again_changes_nothing(api: httpx.Client, host: Host):
    before = shape(api)
    assert all(before)
    host.run("set-up")
    assert shape(api) == before


def shape(api: httpx.Client) -> list[list[str]]:
    """The names of what was set up."""
    return [
        sorted(each["name"] for each in api.post(f"/{kind}/filter", json={}).json())
        for kind in ("deployments", "automations", "work_pools")
    ]


def test_strangers_read_nothing_from_the_object_store(api: httpx.Client, host: Host):
    endpoint = host.environment("worker")["TRAINFOLD_S3_ENDPOINT_URL"]
    assert httpx.get(f"{endpoint}/training-files").status_code == 403


def test_prefects_database_and_trainfolds_have_an_owner_each(postgres: int, environment):
    import psycopg  # noqa: PLC0415

    wrong = {"host": "127.0.0.1", "port": postgres, "user": "trainfold", "dbname": "prefect"}
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(**wrong, password=environment["TRAINFOLD_DATABASE_PASSWORD"])
