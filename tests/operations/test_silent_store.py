"""An object store that accepts connections and never answers ends a request in words, in time."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import TaskRun
from prefect.states import Failed

from domain.errors import Unreachable
from domain.source.limits import Limits
from domain.versions.eligibility import EligibleConversation
from operations.reading import measure_sources
from storage.client import make_client
from storage.s3 import S3Store
from storage.store import ObjectStore
from tasks.policies import may_help

ATTEMPTS = 3
"""Of boto3, for each operation."""


@pytest.fixture
def silent_store() -> Iterator[ObjectStore]:
    """A store whose time-out is a second, not a minute."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        client = make_client(
            endpoint_url=f"http://127.0.0.1:{server.getsockname()[1]}",
            region="us-east-1",
            access_key="a",
            secret_key="b",
            read_timeout_seconds=1,
        )
        yield S3Store(client, "conversation-files")


def test_the_preconditions_of_a_run_fail_in_words(silent_store: ObjectStore):
    started = time.monotonic()
    with pytest.raises(Unreachable, match="conversation-files"):
        silent_store.require()
    assert time.monotonic() - started < ATTEMPTS * 1 + 10


def test_80_sources_are_not_waited_for_one_after_another(silent_store: ObjectStore):
    conversations = [
        EligibleConversation(
            conversation_id=uuid4(),
            object_key="x",
            batch_id=None,
            row_scaffolding={},
            line_suffix="",
        )
        for _ in range(80)
    ]
    started = time.monotonic()
    with pytest.raises(Unreachable):
        measure_sources(silent_store, conversations, limits=Limits())
    assert time.monotonic() - started < 2 * (ATTEMPTS * 1 + 10)


def test_a_read_that_took_minutes_is_not_retried():
    state = Failed(data=Unreachable("away"))
    wait = partial(may_help, None, state=state, within=timedelta(minutes=2))
    now = datetime.now(UTC)
    assert wait(TaskRun(task_key="fetch", dynamic_key="0", start_time=now))
    assert not wait(
        TaskRun(task_key="fetch", dynamic_key="0", start_time=now - timedelta(minutes=3))
    )
