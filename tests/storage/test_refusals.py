"""What a store refuses says why, what is left and what to do; only what may pass is tried again."""

import pytest
from botocore.exceptions import ClientError

from domain.errors import (
    TEMPORARY,
    AccessRefused,
    NotReady,
    ObjectMissing,
    StoreRefused,
    Unreachable,
)
from domain.format import CONTENT_TYPES
from domain.format.spans import Span
from storage.client import make_client
from storage.errors import Target, code_of, translated
from storage.s3 import S3Store
from storage.store import MIB
from tests.storage.conftest import store_behind
from tests.storage.supabase import NAMESPACE, Supabase

KEY = "refused/a.json"


@pytest.fixture
def behind(supabase: Supabase) -> S3Store:
    return store_behind(supabase)


def put(store: S3Store, data: bytes = b"{}", content_type: str = "application/json") -> None:
    store.put(KEY, data, content_type=content_type)


def absent(store: S3Store) -> bool:
    try:
        store.size(KEY)
    except ObjectMissing:
        return True
    store.delete(KEY)
    return False


def test_a_type_that_the_bucket_does_not_take_is_named_with_the_remedy(supabase, behind):
    supabase.types = {"application/json", "application/x-ndjson"}
    with pytest.raises(StoreRefused) as refused:
        put(behind, content_type="application/jsonl")
    assert str(refused.value) == (
        "The bucket training-files takes no object of type application/jsonl (415 "
        "InvalidMimeType: mime type application/jsonl is not supported). refused/a.json was not "
        "stored. Allow the type in the bucket's settings, or name a bucket that takes it in "
        "TRAINFOLD_…_BUCKET."
    )
    assert absent(behind)


def test_both_formats_are_of_types_that_the_applications_bucket_takes(supabase, behind):
    supabase.types = {"application/json", "application/x-ndjson"}
    for content_type in CONTENT_TYPES.values():
        put(behind, content_type=content_type)
        assert not absent(behind)


def test_a_large_object_of_a_type_that_is_not_taken_is_refused_at_once(supabase, behind):
    supabase.types = {"application/json"}
    with pytest.raises(StoreRefused, match="no object of type text/plain"):
        behind.compose(KEY, [bytes(17 * MIB)], content_type="text/plain")
    assert not [seen for seen in supabase.seen if "partNumber" in seen]


@pytest.mark.parametrize("size", [100, 17 * MIB])
def test_an_object_over_the_buckets_limit_is_refused_once_with_the_remedy(supabase, behind, size):
    supabase.max_bytes = size - 1
    with pytest.raises(StoreRefused) as refused:
        behind.compose(KEY, [bytes(size)], content_type="application/json")
    assert str(refused.value) == (
        "training-files/refused/a.json is larger than the bucket allows (413 EntityTooLarge: The "
        "object exceeded the maximum allowed size). It was not stored. Raise the size limit of "
        "the bucket “training-files”, and the whole store's if it has one, then run the request "
        "again."
    )
    assert absent(behind)
    begun = [seen for seen in supabase.seen if seen.startswith(("PUT", "POST"))]
    assert len([seen for seen in begun if "partNumber=1&" in seen or "uploads" in seen]) <= 2


def test_a_key_of_other_letters_than_ascii_is_refused_with_the_remedy(behind):
    with pytest.raises(StoreRefused, match=r"takes no such key as .*größe.*400 InvalidKey.*ASCII"):
        behind.get("refused/größe.json", max_bytes=10)


def test_a_wrong_secret_is_refused_with_the_remedy(supabase):
    wrong = store_behind(supabase, secret_key="wrong")
    with pytest.raises(AccessRefused, match=r"403 SignatureDoesNotMatch.*TRAINFOLD_S3_SECRET_KEY"):
        wrong.get(KEY, max_bytes=10)


def test_a_wrong_access_key_is_refused_with_the_remedy(supabase):
    wrong = store_behind(supabase, access_key="wrong")
    with pytest.raises(AccessRefused, match=r"403 InvalidAccessKeyId.*TRAINFOLD_S3_ACCESS_KEY"):
        wrong.get(KEY, max_bytes=10)


@pytest.mark.parametrize("ask", [S3Store.require, put])
def test_a_wrong_region_is_an_incomplete_set_up(supabase, ask):
    wrong = store_behind(supabase, region="us-west-2")
    with pytest.raises(NotReady, match=r"in region “us-west-2” \(400.*TRAINFOLD_S3_REGION"):
        ask(wrong)


@pytest.mark.parametrize("ask", [S3Store.require, put, lambda store: list(store.listed())])
def test_an_endpoint_without_its_path_is_an_incomplete_set_up(supabase, ask):
    wrong = store_behind(supabase, endpoint_url=supabase.url.removesuffix("/storage/v1/s3"))
    with pytest.raises(NotReady, match=r"no bucket “training-files” at .*/storage/v1/s3"):
        ask(wrong)


@pytest.mark.parametrize("address", ["localhost:8333", "http://[", "s3"])
def test_an_address_that_is_none_is_an_incomplete_set_up(address):
    with pytest.raises(NotReady, match="TRAINFOLD_S3_ENDPOINT_URL to https://host/path"):
        make_client(endpoint_url=address, region="x", access_key="a", secret_key="b")


@pytest.mark.parametrize(
    ("status", "code", "raised"),
    [
        (301, "PermanentRedirect", NotReady),
        (400, "AuthorizationHeaderMalformed", NotReady),
        (400, "InvalidArgument", StoreRefused),
        (400, "BadDigest", Unreachable),
        (403, "AccessDenied", AccessRefused),
        (403, "SomethingElse", AccessRefused),
        (404, "NoSuchBucket", NotReady),
        (404, "not_found", NotReady),
        (405, "MethodNotAllowed", StoreRefused),
        (409, "OperationAborted", Unreachable),
        (413, "Payload too large", StoreRefused),
        (415, "invalid_mime_type", StoreRefused),
        (429, "TooManyRequests", Unreachable),
        (500, "InternalError", Unreachable),
        (501, "NotImplemented", StoreRefused),
        (503, "SlowDown", Unreachable),
    ],
)
def test_an_answer_is_temporary_or_for_good(supabase, behind, status, code, raised):
    supabase.canned = {"PUT /training-files/refused/": (status, code, "Its own words.")}
    with pytest.raises(raised, match=rf"{status} {code}: Its own words\.") as refused:
        put(behind)
    asked = sum(seen.startswith("PUT") for seen in supabase.seen)
    assert isinstance(refused.value, TEMPORARY) == (raised is Unreachable)
    assert asked == 1 or status >= 429


@pytest.mark.parametrize("code", ["NoSuchKey", "not_found"])
def test_an_object_that_is_missing_is_missing_whatever_the_code(supabase, behind, code):
    supabase.canned = {"GET": (404, code, "gone")}
    with pytest.raises(ObjectMissing, match=r"no object training-files/refused/a\.json"):
        behind.get(KEY, max_bytes=10)


def test_a_copy_from_a_missing_object_names_it_though_the_code_has_a_namespace(supabase, behind):
    gone = Span("refused/gone", 0, 20 * MIB)
    with pytest.raises(ObjectMissing, match="refused/gone"):
        behind.compose(KEY, [gone], content_type="text/plain")


def test_a_code_is_read_from_wherever_it_is():
    plain = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
    spaced = {
        "Error": {"Code": ""},
        "Code": "SlowDown",
        "ResponseMetadata": {"HTTPStatusCode": 503},
    }
    bare = {"Error": {"Code": ""}, "ResponseMetadata": {"HTTPStatusCode": 503}}
    codes = [code_of(ClientError(answer, "PutObject")) for answer in (plain, spaced, bare)]
    assert codes == ["SlowDown", "SlowDown", "503"]


def test_a_store_that_answers_nothing_that_can_be_read_is_not_said_to_answer_nothing():
    error = ClientError({"ResponseMetadata": {"HTTPStatusCode": 502}}, "PutObject")
    text = str(translated(error, Target("bucket", "key", "http://store", "here")))
    assert text == "The object store answered 502 at bucket/key. Trying again may help."


def test_the_double_speaks_as_supabase_does(supabase, behind):
    """Its errors have a namespace, so botocore finds no code where it looks."""
    supabase.types = set()
    with pytest.raises(ClientError) as refused:
        behind.client.put_object(Bucket="training-files", Key=KEY, Body=b"")
    assert refused.value.response["Error"]["Code"] == ""
    assert refused.value.response["Code"] == "InvalidMimeType"
    assert NAMESPACE


def test_a_bucket_that_another_process_makes_meanwhile_is_there(supabase):
    store = store_behind(supabase, bucket="made-twice")
    store.create_bucket()
    supabase.canned = {"HEAD": (404, "NoSuchBucket", "")}
    supabase.canned |= {"PUT": (409, "BucketAlreadyExists", "It is there.")}
    with pytest.raises(NotReady):
        store.create_bucket()
    assert [seen.split()[0] for seen in supabase.seen[-3:]] == ["HEAD", "PUT", "HEAD"]


def test_a_bucket_in_a_region_that_must_be_named_is_made_there(supabase):
    supabase.canned = {
        "PUT /made-there/?": (400, "IllegalLocationConstraintException", "Name the region.")
    }
    store = store_behind(supabase, bucket="made-there")
    with pytest.raises(NotReady, match="Name the region"):
        store.create_bucket()
    assert sum(seen.startswith("PUT /made-there") for seen in supabase.seen) == 2
