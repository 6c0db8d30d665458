"""Stored bytes are proven though the store ignores a wrong Content-MD5."""

import pytest

from domain.errors import ObjectMissing, Unreachable
from domain.format.spans import Span
from storage.s3 import S3Store
from storage.store import MIB
from tests.storage.conftest import store_behind
from tests.storage.supabase import Supabase

SMALL = b"x" * 1000
LARGE = bytes(range(256)) * (40 * MIB // 256)
KEY = "proof/a"


@pytest.fixture
def behind(supabase: Supabase) -> S3Store:
    return store_behind(supabase)


def reads(supabase: Supabase) -> list[str]:
    return [seen for seen in supabase.seen if seen.startswith("GET")]


def test_the_double_takes_a_body_that_its_md5_does_not_fit(supabase, behind):
    supabase.bends = "PUT"
    behind.client.put_object(Bucket="training-files", Key=KEY, Body=SMALL)
    assert behind.get(KEY, max_bytes=2000) != SMALL


@pytest.mark.parametrize("is_md5", [True, False])
@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["one request", "parts"])
def test_bytes_that_changed_on_the_way_into_the_store_are_noticed(supabase, behind, data, is_md5):
    supabase.bends, supabase.etags_are_md5 = "PUT /training-files/proof", is_md5
    with pytest.raises(Unreachable, match="changed on its way into the store"):
        behind.compose(KEY, [data], content_type="text/plain")


@pytest.mark.parametrize(
    "data", [SMALL, LARGE[: 16 * MIB], LARGE], ids=["one request", "a large one", "parts"]
)
def test_an_etag_that_is_the_md5_proves_the_bytes_without_reading_them(supabase, behind, data):
    assert behind.compose(KEY, [data], content_type="text/plain") == len(data)
    assert not reads(supabase)


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["one request", "parts"])
def test_where_an_etag_is_no_md5_what_was_sent_is_read_back(supabase, behind, data):
    supabase.etags_are_md5 = False
    assert behind.compose(KEY, [data], content_type="text/plain") == len(data)
    assert reads(supabase)
    assert b"".join(behind.chunks(KEY)) == data


def test_what_the_store_copies_is_not_read_back(supabase, behind):
    behind.compose("proof/old", [LARGE], content_type="text/plain")
    supabase.etags_are_md5 = False
    supabase.seen.clear()
    segments = [b"head", Span("proof/old", 0, len(LARGE)), b"tail"]
    behind.compose(KEY, segments, content_type="text/plain")
    spans = [seen for seen in reads(supabase) if KEY in seen]
    # The head with the first 5 MiB, and the tail.
    assert len(spans) == 2


def test_an_object_is_left_alone_if_it_is_there_where_the_store_can_tell(store):
    store.delete(KEY)
    store.put(KEY, b"first", content_type="text/plain", if_absent=True)
    store.put(KEY, b"later", content_type="text/plain", if_absent=True)
    assert store.get(KEY, max_bytes=10) in (b"first", b"later")


def test_the_double_overwrites_what_must_be_absent(behind):
    behind.put(KEY, b"first", content_type="text/plain")
    behind.put(KEY, b"later", content_type="text/plain", if_absent=True)
    assert behind.get(KEY, max_bytes=10) == b"later"


def test_the_size_of_a_missing_object_is_not_zero(store):
    with pytest.raises(ObjectMissing):
        store.size("proof/none")
