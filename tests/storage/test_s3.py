import random
import urllib.error
import urllib.request
from datetime import timedelta

import pytest

from domain.errors import AccessRefused, NotReady, ObjectMissing, ObjectTooLarge, Unreachable
from domain.format.spans import Span
from storage.client import make_client
from storage.s3 import S3Store
from storage.store import ObjectStore
from tests.storage.conftest import store_of_stack


def read(store: ObjectStore, key: str) -> bytes:
    return b"".join(store.chunks(key))


def test_what_is_put_comes_back(store):
    store.put("here/a.json", b"{}", content_type="application/json")
    assert store.get("here/a.json", max_bytes=10) == b"{}"


def test_an_empty_object_is_empty(store):
    store.put("here/empty", b"", content_type="application/json")
    assert store.get("here/empty", max_bytes=10) == b""
    assert read(store, "here/empty") == b""


def test_an_object_over_the_limit_is_refused_with_its_size(store):
    store.put("here/big", b"x" * 1001, content_type="text/plain")
    with pytest.raises(ObjectTooLarge, match="1,001 bytes"):
        store.get("here/big", max_bytes=1000)
    assert len(store.get("here/big", max_bytes=1001)) == 1001


def test_a_missing_object_is_named(store):
    with pytest.raises(ObjectMissing, match="training-files/not/there"):
        store.get("not/there", max_bytes=10)
    with pytest.raises(ObjectMissing):
        read(store, "not/there")


def test_a_composed_object_is_its_segments(store):
    store.put("here/old", b"0123456789", content_type="text/plain")
    segments = (b"<", Span("here/old", 2, 5), b"|", Span("here/old", 9, 10), b">")
    stored = store.compose("here/new", segments, content_type="text/plain")
    assert read(store, "here/new") == b"<234|9>"
    assert stored == 7


def test_composing_from_a_missing_object_leaves_nothing(store):
    with pytest.raises(ObjectMissing):
        store.compose("here/torn", (b"head", Span("not/there", 0, 5)), content_type="text/plain")
    with pytest.raises(ObjectMissing):
        read(store, "here/torn")


def test_a_deleted_object_is_gone_and_may_be_deleted_again(store):
    store.put("here/gone", b"x", content_type="text/plain")
    store.delete("here/gone")
    store.delete("here/gone")
    with pytest.raises(ObjectMissing):
        store.get("here/gone", max_bytes=10)


def test_a_download_link_opens_without_a_password_under_its_own_name(store):
    store.put("here/linked", b"content", content_type="application/json")
    link = store.download_link(
        "here/linked", file_name="אביב-v1.json", lifetime=timedelta(minutes=5)
    )
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"content"
        header = answer.headers["Content-Disposition"]
        assert "filename*=UTF-8''%D7%90%D7%91%D7%99%D7%91-v1.json" in header


def test_an_expired_or_bent_link_opens_nothing(store):
    link = store.download_link("here/linked", file_name="x", lifetime=timedelta(minutes=5))
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link.replace("here/linked", "here/other"))


def test_wrong_credentials_are_refused_not_retried(stack):
    wrong = store_of_stack(secret_key="wrong")
    with pytest.raises(AccessRefused):
        wrong.get("here/a.json", max_bytes=10)


def test_a_missing_bucket_is_an_incomplete_set_up(stack):
    with pytest.raises(NotReady, match="no bucket “nowhere”"):
        S3Store(store_of_stack().client, "nowhere").require()


def test_a_server_that_does_not_answer_is_unreachable():
    nobody = make_client(
        endpoint_url="http://127.0.0.1:9", region="us-east-1", access_key="a", secret_key="b"
    )
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        S3Store(nobody, "training-files").get("a", max_bytes=10)


@pytest.mark.parametrize("size", [0, 10, 5 * 1024 * 1024, 33 * 1024 * 1024 + 1])
def test_an_uploaded_file_is_its_bytes_whatever_was_read_of_it_before(store, tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(random.Random(size).randbytes(size))
    with path.open("rb") as file:
        file.read(7)
        assert store.upload("here/file", file, content_type="text/plain") == size
    assert read(store, "here/file") == path.read_bytes()
    # Other tests leave unfinished uploads in the same bucket.
    assert "here/file" not in {unfinished.key for unfinished in store.uploads()}
