"""Large objects: put together by the store itself where it can."""

from collections import Counter
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from domain.errors import ObjectMissing, Unreachable
from domain.format.spans import Span
from storage.s3 import S3Store
from storage.store import MIB

OLD = uuid4().bytes * (40 * MIB // 16)
HELD = Span("here/large", 7, len(OLD))
SEGMENTS = (b"head", HELD, b"tail")
WHOLE = b"head" + OLD[7:] + b"tail"


class Requests(Counter[str]):
    """Counts a client's requests by operation, and answers some of them with an error."""

    def __init__(self, client, refuse=lambda _operation, _params: None) -> None:
        super().__init__()
        self._refuse = refuse
        client.meta.events.register("before-call.s3", self._count)

    def _count(self, model, params, **_):
        self[model.name] += 1
        refusal = self._refuse(model.name, params)
        if refusal:
            code, status = refusal
            answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(answer, model.name)


@pytest.fixture(autouse=True)
def large_object(store: S3Store) -> None:
    """Written once: OLD is a process's own."""
    try:
        there = store.size(HELD.key) == len(OLD)
    except ObjectMissing:
        there = False
    if not there or b"".join(store.chunks(HELD.key, 0, 16)) != OLD[:16]:
        store.compose(HELD.key, (OLD,), content_type="text/plain")


def read(store: S3Store, key: str) -> bytes:
    return b"".join(store.chunks(key))


def unfinished(store: S3Store) -> list:
    uploads = store.client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", [])
    return [upload for upload in uploads if upload["Key"].startswith("here/")]


def test_the_store_copies_what_it_holds(store):
    seen = Requests(store.client)
    assert store.compose("here/larger", SEGMENTS, content_type="text/plain") == len(WHOLE)
    assert read(store, "here/larger") == WHOLE
    assert seen["UploadPartCopy"] == 1
    # The head with the first 5 MiB, and the tail.
    assert seen["UploadPart"] == 2


@pytest.mark.parametrize(("code", "status"), [("NotImplemented", 501), ("InvalidRequest", 400)])
def test_a_store_that_does_not_copy_is_sent_everything_and_not_asked_again(store, code, status):
    seen = Requests(
        store.client, lambda name, _: (code, status) if name == "UploadPartCopy" else None
    )
    assert store.compose("here/streamed", SEGMENTS, content_type="text/plain") == len(WHOLE)
    assert read(store, "here/streamed") == WHOLE
    asked = seen["UploadPartCopy"]
    store.compose("here/again", SEGMENTS, content_type="text/plain")
    assert read(store, "here/again") == WHOLE
    assert seen["UploadPartCopy"] == asked
    assert unfinished(store) == []


def test_a_store_that_wants_equal_parts_gets_equal_parts(store):
    """As R2 does: it refuses when the upload is completed."""

    def refuse(name, params):
        if name == "CompleteMultipartUpload" and seen["UploadPartCopy"] == 1:
            return "InvalidPart", 400
        return None

    seen = Requests(store.client, refuse)
    store.compose("here/equal", SEGMENTS, content_type="text/plain")
    assert read(store, "here/equal") == WHOLE
    # First 32 MiB less than one part of the head, in one copy; then one part of 16 MiB.
    assert (seen["CompleteMultipartUpload"], seen["UploadPartCopy"]) == (2, 2)


def test_a_store_that_takes_a_copy_for_an_empty_part_is_found_out(store, monkeypatch):
    copy = store.client.upload_part_copy

    def copy_one_byte(**arguments):
        return copy(**arguments | {"CopySourceRange": "bytes=0-0"})

    monkeypatch.setattr(store.client, "upload_part_copy", copy_one_byte)
    assert store.compose("here/honest", SEGMENTS, content_type="text/plain") == len(WHOLE)
    assert read(store, "here/honest") == WHOLE


@pytest.mark.parametrize("operation", ["UploadPart", "UploadPartCopy", "CompleteMultipartUpload"])
def test_a_compose_that_fails_leaves_no_upload_and_no_object(store, operation):
    Requests(store.client, lambda name, _: ("InternalError", 500) if name == operation else None)
    with pytest.raises(Unreachable, match="InternalError"):
        store.compose("here/torn", SEGMENTS, content_type="text/plain")
    assert unfinished(store) == []
    with pytest.raises(ObjectMissing):
        read(store, "here/torn")


def test_a_compose_from_a_missing_object_names_it_and_leaves_nothing(store):
    gone = Span("here/gone", 0, 40 * MIB)
    with pytest.raises(ObjectMissing, match="here/gone"):
        store.compose("here/torn", (b"head", gone), content_type="text/plain")
    assert unfinished(store) == []


def test_a_change_on_the_way_is_noticed_in_what_is_carried_through_this_process(store, monkeypatch):
    chunks = store.chunks
    times = Counter[str]()

    def bent(key, start=0, end=None):
        times[key] += 1
        for piece in chunks(key, start, end):
            yield piece.replace(OLD[:16], b"?" * 16, 1) if times[key] == 1 else piece

    monkeypatch.setattr(store, "chunks", bent)
    with pytest.raises(Unreachable, match="changed on the way"):
        store.compose("here/bent", SEGMENTS, content_type="text/plain")
    assert unfinished(store) == []
