"""trainfold's whole work on a store like Supabase's, and what it says at a wrong address."""

from datetime import timedelta
from uuid import uuid4

import pytest

from db.engine import reading
from domain.errors import AccessRefused, Blocked, NotReady, StoreRefused
from domain.source.limits import Limits
from domain.versions.naming import INSTALLATION_KEY
from operations import resources
from operations.add import add
from operations.admission import gate
from operations.binding import require_bound
from operations.preview import examine
from operations.reading import read_source
from operations.sweep import sweep_store
from operations.verify import verified_content, verify_version
from storage.s3 import S3Store
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.storage.conftest import store_behind
from tests.storage.supabase import Supabase

APPLICATIONS_TYPES = {"application/json", "application/x-ndjson"}


@pytest.fixture
def bucket(supabase: Supabase) -> S3Store:
    """A bucket of its own, made as `migrate` makes it."""
    store = store_behind(supabase, bucket=f"own-{uuid4().hex[:8]}")
    store.create_bucket()
    return store


def test_versions_are_added_verified_and_swept_beside_the_applications_files(
    engine, library: Library, supabase, bucket
):
    supabase.types = APPLICATIONS_TYPES
    conversations = store_behind(supabase, bucket="conversation-files")
    theirs = f"{uuid4()}/training.json"
    bucket.put(theirs, b"{}", content_type="application/json")
    require_bound(engine, bucket)
    for number in range(2):
        asked = request("Spring", library.add_many(2), new=number == 0)
        add(engine, conversations, bucket, asked, limits=Limits())
    version = verify_version(engine, bucket, "Spring")
    assert b"".join(verified_content(engine, bucket, version, "json"))
    swept = sweep_store(engine, bucket, safe_age=timedelta(0), delete=True)
    assert (swept.objects, swept.foreign) == ((), (theirs,))
    assert len(list(bucket.listed())) == len([theirs, INSTALLATION_KEY]) + 4


def test_a_version_over_the_buckets_limit_changes_nothing_and_says_what_to_raise(
    engine, library: Library, supabase, bucket
):
    asked = request("Spring", [library.add()], new=True)
    supabase.max_bytes = 500
    with pytest.raises(StoreRefused, match="Raise the size limit of the bucket"):
        add(engine, resources.conversations_store(), bucket, asked, limits=Limits())
    assert list(bucket.listed()) == []
    supabase.max_bytes = None
    add(engine, resources.conversations_store(), bucket, asked, limits=Limits())


def test_a_type_that_the_bucket_does_not_take_leaves_neither_object(
    engine, library: Library, supabase, bucket
):
    asked = request("Spring", [library.add()], new=True)
    supabase.types = {"application/json"}
    with pytest.raises(StoreRefused, match="no object of type application/x-ndjson"):
        add(engine, resources.conversations_store(), bucket, asked, limits=Limits())
    assert [seen for seen in supabase.seen if seen.startswith("PUT /own-")]
    assert list(bucket.listed()) == []


def test_a_clock_that_is_ahead_stops_maintenance(engine, supabase, bucket):
    require_bound(engine, bucket)
    supabase.clock_is_ahead = timedelta(minutes=9)
    with pytest.raises(NotReady, match="differ by 9 minutes"):
        sweep_store(engine, bucket, safe_age=timedelta(hours=2), delete=True)


def without_path(supabase: Supabase, bucket: str) -> S3Store:
    address = supabase.url.removesuffix("/storage/v1/s3")
    return store_behind(supabase, bucket=bucket, endpoint_url=address)


def test_a_wrong_address_is_no_damage_of_a_version(engine, library: Library, supabase):
    carry_out(request("Sound", [library.add()], new=True))
    wrong = without_path(supabase, "training-files")
    with pytest.raises(NotReady, match=r"no bucket “training-files” at .*/storage/v1/s3"):
        verify_version(engine, wrong, "Sound")


def test_a_missing_bucket_is_no_damage_of_a_version(engine, library: Library, supabase):
    carry_out(request("Sound", [library.add()], new=True))
    with pytest.raises(NotReady, match="no bucket “no-such”"):
        verify_version(engine, store_behind(supabase, bucket="no-such"), "Sound")


@pytest.mark.parametrize("strange", ["path", "bucket"])
def test_a_wrong_address_is_no_fault_of_a_conversation(engine, library: Library, supabase, strange):
    asked = request("Spring", library.add_many(2), new=True)
    wrong = (
        without_path(supabase, "conversation-files")
        if strange == "path"
        else store_behind(supabase, bucket="no-such")
    )
    with pytest.raises(NotReady, match="There is no bucket"):
        examine(engine, wrong, asked, limits=Limits())
    with pytest.raises(NotReady, match="There is no bucket"):
        add(engine, wrong, resources.training_files_store(), asked, limits=Limits())


def test_wrong_keys_are_no_fault_of_a_conversation(engine, library: Library, supabase):
    asked = request("Spring", library.add_many(2), new=True)
    wrong = store_behind(supabase, bucket="conversation-files", secret_key="wrong")
    with pytest.raises(AccessRefused):
        examine(engine, wrong, asked, limits=Limits())


def test_an_object_that_alone_is_refused_is_a_reason(engine, library: Library, supabase):
    id = library.add()
    with reading(engine) as connection:
        (eligible,) = gate(connection, request("Spring", [id], new=True)).conversations
    supabase.canned = {f"GET /conversation-files/tests/{id}": (403, "AccessDenied", "not yours")}
    with pytest.raises(Blocked, match="403 AccessDenied: not yours"):
        read_source(store_behind(supabase, bucket="conversation-files"), eligible, max_bytes=10**6)
