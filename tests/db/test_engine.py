import time

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
