"""A writer that stands still in the middle of its commit does not hold the others for ever."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from db import engine as own
from db.engine import reading
from db.versions import find_version
from domain.errors import Unreachable
from domain.versions.record import VersionRecord
from tests.asking import carry_out, request
from tests.conftest import Library

# Changes the training file's row, says so, and waits to be frozen before its next statement.
WRITER = """
import sys
from sqlalchemy import text
from db import engine as own
from db.schemas import statement
from domain.errors import TrainfoldError
from operations import resources
own.IDLE_SECONDS = int(sys.argv[1])
try:
    with own.writing(resources.engine()) as connection:
        connection.execute(
            statement(connection, "UPDATE $training_files SET updated_at = now()")
        )
        print("holding", flush=True)
        sys.stdin.readline()
        connection.execute(text("SELECT 1"))
except TrainfoldError as error:
    print(type(error).__name__, error)
"""


class Writer:
    def __init__(self, idle_seconds: int) -> None:
        command = [sys.executable, "-c", WRITER, str(idle_seconds)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "holding\n"
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> str:
        self.process.send_signal(signal.SIGCONT)
        said, _ = self.process.communicate("go on\n", timeout=30)
        return said


@pytest.fixture
def version(library: Library) -> VersionRecord:
    return carry_out(request("Frozen", [library.add()], new=True))


@pytest.fixture
def writer(version: VersionRecord, request: pytest.FixtureRequest) -> Iterator[Writer]:
    writer = Writer(idle_seconds=request.param)
    yield writer
    writer.process.kill()
    writer.process.wait()


@pytest.mark.parametrize("writer", [3], indirect=True)
def test_a_frozen_writer_loses_its_lock_and_the_next_request_goes_through(
    writer: Writer, library: Library, engine: Engine
):
    started = time.monotonic()
    carry_out(request("Frozen", [library.add()]))
    assert 1 < time.monotonic() - started < 20
    said = writer.thaw()
    assert said.startswith("Unreachable This process stood still")
    with reading(engine) as connection:
        assert find_version(connection, "Frozen").number == 2


@pytest.mark.parametrize("writer", [60], indirect=True)
def test_who_waits_is_told_for_whom_and_for_how_long(
    writer: Writer, library: Library, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(own, "LOCK_SECONDS", 2)
    asked = request("Frozen", [library.add()])
    with pytest.raises(Unreachable) as caught:
        carry_out(asked)
    words = str(caught.value)
    assert "“Frozen” could not be changed within" in words
    assert "Another request has held it for" in words
    assert "idle in transaction" in words
    with reading(engine) as connection:
        assert find_version(connection, "Frozen").number == 1
    writer.process.kill()
    assert carry_out(asked).number == 2
