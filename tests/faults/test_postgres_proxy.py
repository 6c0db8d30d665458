"""The database's proxy breaks connections where it says, and the commit is where it says."""

import struct
import time

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from soak.postgres_messages import is_ready, statement
from soak.postgres_proxy import COMMIT, CONNECT, DatabaseAction, PostgresProxy
from soak.script import Fault, Script
from soak.stage import Stage

INSERT = "INSERT INTO trainfold.batch_jobs (id, name) VALUES (gen_random_uuid(), :name)"


@pytest.fixture
def insert(stage: Stage, engine, request):
    """Insert a row of this name through a proxy with one fault."""

    def run(fault: Fault | None, name: str) -> None:
        script = Script([fault] if fault else [])
        with stage.proxies.running(PostgresProxy(stage.services.database, script)) as port:
            url = stage.services.through(
                database_port=port, s3_port=stage.services.s3[1]
            ).database_url
            proxied = create_engine(url, connect_args={"connect_timeout": 10})
            try:
                with proxied.begin() as connection:
                    connection.execute(text(INSERT), {"name": name})
            finally:
                proxied.dispose()

    return run


def arrived(engine, name: str, *, within_seconds: float = 10) -> bool:
    until = time.monotonic() + within_seconds
    while time.monotonic() < until:
        with engine.connect() as connection:
            query = text("SELECT count(*) FROM trainfold.batch_jobs WHERE name = :name")
            if connection.execute(query, {"name": name}).scalar():
                return True
        time.sleep(0.1)
    return False


def test_without_a_fault_it_passes_everything(engine, insert):
    insert(None, "plain")
    assert arrived(engine, "plain")


@pytest.mark.parametrize(
    ("pattern", "action", "arrives"),
    [
        (CONNECT, DatabaseAction.DROP_BEFORE, False),
        ("^INSERT", DatabaseAction.DROP_BEFORE, False),
        ("^INSERT", DatabaseAction.DROP_AFTER, False),
        (COMMIT, DatabaseAction.DROP_BEFORE, False),
        (COMMIT, DatabaseAction.DROP_HALF_SENT, False),
        (COMMIT, DatabaseAction.DROP_SENT, True),
        (COMMIT, DatabaseAction.DROP_AFTER, True),
        (COMMIT, DatabaseAction.KILL_BEFORE, False),
        (COMMIT, DatabaseAction.KILL_SENT, True),
        (COMMIT, DatabaseAction.KILL_AFTER, True),
    ],
)
def test_the_client_hears_of_a_broken_connection_only(
    engine, insert, pattern: str, action: DatabaseAction, arrives: bool
):
    with pytest.raises(OperationalError):
        insert(Fault(pattern, action), action.name)
    # A commit that is under way may take a moment; that none comes cannot be waited for.
    assert arrived(engine, action.name, within_seconds=10 if arrives else 0.3) == arrives


def test_a_stall_ends(engine, insert):
    insert(Fault(COMMIT, DatabaseAction.STALL, seconds=0.2), "stalled")
    assert arrived(engine, "stalled")


def test_statements_are_found_in_simple_and_in_extended_queries():
    def message(kind: bytes, payload: bytes) -> bytes:
        return kind + struct.pack("!i", len(payload) + 4) + payload

    assert statement(message(b"Q", b"COMMIT\0")) == "COMMIT"
    assert statement(message(b"P", b"name\0SELECT 1\0\0\0")) == "SELECT 1"
    assert statement(message(b"B", b"COMMIT\0")) is None
    assert is_ready(message(b"Z", b"I"))
