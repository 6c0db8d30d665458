"""Everything is killed at once, as by a power cut; `up` brings every run back in three minutes."""

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from sqlalchemy import text

from db import migrate
from db.engine import reading
from db.versions import find_version
from operations import resources
from operations.binding import require_bound
from tests.asking import request
from tests.conftest import Library
from trainfold.prefect_http.runs import Runs
from trainfold.stack import Stack

pytestmark = pytest.mark.slow
RUNS = 5


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own: the session's other services are not to die."""
    with tempfile.TemporaryDirectory(prefix="trainfold-killed-") as name:
        Path(name).chmod(0o711)
        monkeypatch.setenv("TRAINFOLD_HOME", name)
        resources.forget()
        stack = Stack(Path(name))
        try:
            yield Path(name)
        finally:
            stack.down(say=print)
            resources.forget()


def kill_everything(stack: Stack) -> None:
    roots = [psutil.Process(status.pid) for status in stack.status() if status.pid]
    doomed = [child for root in roots for child in root.children(recursive=True)] + roots
    for process in doomed:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(doomed, timeout=20)


def submitted(runs: Runs, library: Library) -> list[UUID]:
    asked = [request(f"Killed {n}", library.add_many(2), new=True) for n in range(RUNS)]
    return [runs.submit_add(each) for each in asked]


def wait_until_under_way(runs: Runs, ids: list[UUID], count: int) -> None:
    deadline = time.monotonic() + 180
    while sum(runs.progress(id).state_type == "RUNNING" for id in ids) < count:
        assert time.monotonic() < deadline
        time.sleep(1)


def test_every_run_ends_within_three_minutes_of_up(home: Path):
    stack = Stack(home)
    stack.up(say=print)
    migrate.upgrade(resources.engine())
    stores = resources.conversations_store(), resources.training_files_store()
    for store in stores:
        store.create_bucket()
    require_bound(resources.engine(), stores[1])
    library = Library(resources.engine(), stores[0])
    url = resources.settings().prefect_api_url or ""
    auth = resources.settings().prefect_auth
    password = auth.get_secret_value() if auth else None
    runs = Runs(url, auth=password)
    ids = submitted(runs, library)
    # The runs wait for this lock in their gates, and so are in the middle when they die.
    holder = resources.engine().connect()
    holder.execute(text("LOCK TABLE conversations IN ACCESS EXCLUSIVE MODE"))
    wait_until_under_way(runs, ids, 2)
    kill_everything(stack)
    resources.forget()

    stack.up(say=print)
    started = time.monotonic()
    resources.forget()
    runs = Runs(resources.settings().prefect_api_url or "", auth=password)
    while time.monotonic() - started < 180:
        ends = [runs.progress(id) for id in ids]
        if all(end.is_finished for end in ends):
            break
        time.sleep(2)
    assert [end.state_name for end in ends] == ["Completed"] * RUNS, [end.message for end in ends]
    with reading(resources.engine()) as connection:
        numbers = [find_version(connection, f"Killed {n}").number for n in range(RUNS)]
    assert numbers == [1] * RUNS
