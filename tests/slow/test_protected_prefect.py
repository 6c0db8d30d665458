"""A stack whose Prefect listens beyond loopback, used as an operator does. Takes over a minute."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

pytestmark = pytest.mark.slow
COMMAND = Path(sys.executable).with_name("trainfold")
SAMPLES = Path(__file__).parents[2] / "samples"
SECRET = "not-to-be-seen-anywhere"


def run(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRAINFOLD_", "PREFECT_"))
    }
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment | {"TRAINFOLD_HOME": str(home)} | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="tf-"))
    home.chmod(0o711)
    try:
        yield home
    finally:
        run(home, "down")
        shutil.rmtree(home)


def test_prefect_beyond_loopback_asks_everybody_for_the_password(home: Path):
    open_ = {"TRAINFOLD_PREFECT_HOST": "0.0.0.0"}
    refused = run(home, "up", **open_)
    assert (refused.returncode, "TRAINFOLD_PREFECT_AUTH" in refused.stderr) == (5, True)
    assert not (home / "stack.json").exists()

    auth = {"TRAINFOLD_PREFECT_AUTH": f"trainfold:{SECRET}"}
    up = run(home, "up", "--json", **open_, **auth)
    assert up.returncode == 0, up.stderr
    services = {each["service"]: each for each in json.loads(up.stdout)["services"]}
    assert all(each["running"] for each in services.values())
    assert set(services) == {"postgresql", "s3", "prefect", "worker", "console"}
    api = f"{services['prefect']['address']}/api"
    for path in ("/deployments/filter", "/flow_runs/filter"):
        assert httpx.post(f"{api}{path}", json={}).status_code == 401
        allowed = httpx.post(f"{api}{path}", json={}, auth=("trainfold", SECRET))
        assert allowed.status_code == 200

    # Commands find the password where they find the address.
    assert run(home, "import", str(SAMPLES / "spring-batch"), "--batch", "spring").returncode == 0
    submitted = run(home, "submit", "Spring", "--batch", "spring", "--new", "--json")
    assert submitted.returncode == 0, submitted.stderr
    assert json.loads(submitted.stdout)["version"] == 1
    added = run(home, "rebuild", "Spring", "--json")
    assert added.returncode == 0, added.stderr
    wrong = run(home, "rebuild", "Spring", TRAINFOLD_PREFECT_AUTH="trainfold:wrong")
    assert (wrong.returncode, "refuses the credentials" in wrong.stderr) == (5, True)

    # The console finds the password as commands do.
    runs_shown = httpx.get(f"{services['console']['address']}/training-files/Spring/runs")
    assert "Version 1 of “Spring”: 5 conversations" in runs_shown.text

    commands = [process_command(each["pid"]) for each in services.values()]
    logs = [log.read_text() for log in (home / "logs").iterdir()]
    runs = httpx.post(f"{api}/flow_runs/filter", json={}, auth=("trainfold", SECRET)).text
    written = httpx.post(f"{api}/logs/filter", json={}, auth=("trainfold", SECRET)).text
    shown = [*commands, *logs, runs, written, submitted.stderr, up.stderr, up.stdout]
    assert not [text for text in shown if SECRET in text]
    assert (home / "stack.json").stat().st_mode & 0o777 == 0o600

    down = run(home, "down")
    assert down.stderr.splitlines()[:2] == ["Console stopped", "Prefect worker stopped"]
    left = json.loads(run(home, "status", "--json").stdout)["services"]
    assert not any(each["running"] for each in left)


def process_command(pid: int) -> str:
    """The command lines of a process and of all that it started."""
    process = psutil.Process(pid)
    return repr([each.cmdline() for each in (process, *process.children(recursive=True))])
