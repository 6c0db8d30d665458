import gc
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import text

from db import engine as own
from domain.errors import Unreachable


@pytest.mark.parametrize("use", [own.reading, own.writing])
def test_a_server_that_says_nothing_is_hung_up_on(engine, monkeypatch, use):
    monkeypatch.setattr(own, "MAX_SECONDS", 0.5)
    started = time.monotonic()
    with pytest.raises(Unreachable), use(engine) as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    assert time.monotonic() - started < 10


def test_a_connection_in_time_is_left_alone(engine, monkeypatch):
    monkeypatch.setattr(own, "MAX_SECONDS", 0.2)
    for _ in range(5):
        with own.reading(engine) as connection:
            assert own.current_time(connection)
    time.sleep(0.5)
    with own.reading(engine) as connection:
        assert own.current_time(connection)


@contextmanager
def few_descriptors(spare: int) -> Iterator[None]:
    """Let the process open so many more files and connections.

    What earlier tests left for the garbage collector holds descriptors too: it is collected
    before, and nothing is while the block runs, since it would give some back.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fillers: list[int] = []
    gc.collect()
    gc.disable()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 4096), hard))
    try:
        with suppress(OSError):
            while True:
                fillers.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(spare):
            os.close(fillers.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers:
            os.close(filler)
        gc.enable()


@pytest.mark.parametrize("spare", [0, 1])
def test_descriptors_that_run_out_end_in_words(engine, spare):
    fresh = own.make_engine(engine.url.render_as_string(hide_password=False))
    with few_descriptors(spare), pytest.raises(Unreachable), own.reading(fresh):
        pytest.fail("it has connected")
