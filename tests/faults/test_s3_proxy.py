"""The proxy does to a request what it says, and nothing else."""

import http.client
import time

import pytest

from domain.errors import ObjectMissing, Unreachable
from soak.http_messages import Message
from soak.s3_faults import S3Action, S3Fault
from soak.s3_proxy import S3Proxy
from soak.script import Script
from soak.stage import Stage

DATA = b"x" * 20_000
OUTLASTS_THE_CLIENT = 3


@pytest.fixture
def behind(stage: Stage, request):
    """The training files' store behind a proxy with one fault, on a key of its own."""

    def store(fault: S3Fault | None, script: Script | None = None):
        script = script or Script([fault] if fault else [])
        running = stage.proxies.running(S3Proxy(stage.services.s3, script))
        port = running.__enter__()
        request.addfinalizer(lambda: running.__exit__(None, None, None))
        database_port = stage.services.database[1]
        return stage.services.through(database_port=database_port, s3_port=port).stores()[1]

    return store


def stored(stage: Stage, key: str) -> bytes | None:
    try:
        return stage.files.get(key, max_bytes=1_000_000)
    except ObjectMissing:
        return None


def test_without_a_fault_every_byte_passes_and_the_signature_holds(stage: Stage, behind):
    store = behind(None)
    store.put("proxy/plain", DATA, content_type="text/plain")
    assert store.get("proxy/plain", max_bytes=1_000_000) == DATA
    assert b"".join(store.chunks("proxy/plain", 10, 15)) == b"xxxxx"
    assert store.compose("proxy/composed", [DATA], content_type="text/plain") == 20_000
    store.delete("proxy/plain")
    with pytest.raises(ObjectMissing):
        store.get("proxy/plain", max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("action", "raises", "arrives"),
    [
        (S3Action.ANSWER_500, True, False),
        (S3Action.SLOW_DOWN, True, False),
        (S3Action.DONE_BUT_500, True, True),
        (S3Action.RESET, True, False),
        (S3Action.LOSE_ANSWER, True, True),
        (S3Action.STALL, False, True),
        (S3Action.TRUNCATE_REQUEST, True, False),
        (S3Action.DO_TWICE, False, True),
        (S3Action.ANSWER_TWICE, False, True),
        (S3Action.KILL_BEFORE, True, False),
        (S3Action.KILL_AFTER, True, True),
    ],
)
def test_a_put_fails_as_told(stage: Stage, behind, action: S3Action, raises: bool, arrives: bool):
    key = f"proxy/put-{action.name}"
    store = behind(S3Fault("^PUT", action, times=OUTLASTS_THE_CLIENT))
    if raises:
        with pytest.raises(Unreachable):
            store.put(key, DATA, content_type="text/plain")
    else:
        store.put(key, DATA, content_type="text/plain")
    assert stored(stage, key) == (DATA if arrives else None)


def test_a_flipped_request_is_not_what_was_sent(stage: Stage, behind):
    connection = http.client.HTTPConnection("127.0.0.1", stage.services.s3[1])
    connection.close()
    flipped = Message(b"PUT / HTTP/1.1\r\n\r\n", DATA).flipped(0.5)
    assert flipped.body != DATA
    assert sum(a != b for a, b in zip(flipped.body, DATA, strict=True)) == 1


def test_a_request_that_was_late_arrives_after_all(stage: Stage, behind):
    store = behind(S3Fault("^PUT", S3Action.DO_LATE, times=OUTLASTS_THE_CLIENT, seconds=3))
    with pytest.raises(Unreachable):
        store.put("proxy/late", DATA, content_type="text/plain")
    assert stored(stage, "proxy/late") is None
    until = time.monotonic() + 20
    while stored(stage, "proxy/late") is None and time.monotonic() < until:
        time.sleep(0.2)
    assert stored(stage, "proxy/late") == DATA


@pytest.mark.parametrize("action", [S3Action.TRUNCATE_ANSWER, S3Action.FLIP_ANSWER])
def test_an_answer_arrives_damaged(stage: Stage, behind, action: S3Action):
    stage.files.put("proxy/read", DATA, content_type="text/plain")
    store = behind(S3Fault("^GET", action, times=OUTLASTS_THE_CLIENT))
    try:
        assert store.get("proxy/read", max_bytes=1_000_000) != DATA
    except Unreachable:
        # A client that notices is better still.
        return


def test_a_request_that_is_never_answered_waits_for_the_client(stage: Stage):
    script = Script([S3Fault("^GET", S3Action.HOLD)])
    with stage.proxies.running(S3Proxy(stage.services.s3, script)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.5)
        connection.request("GET", "/")
        with pytest.raises(TimeoutError):
            connection.getresponse()
        connection.close()


def test_the_victim_is_killed_once_the_object_is_there(stage: Stage, behind):
    script = Script([S3Fault("^PUT", S3Action.KILL_AFTER, times=OUTLASTS_THE_CLIENT)])
    there = []
    script.kill_victim = lambda: there.append(True)
    with pytest.raises(Unreachable):
        behind(None, script).put("proxy/victim", DATA, content_type="text/plain")
    assert there
    assert stored(stage, "proxy/victim") == DATA
