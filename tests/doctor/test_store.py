"""Each fault of a store is made on a real one, and is the only finding."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.versions.naming import INSTALLATION_KEY
from operations import resources
from operations.doctor import store as doctor
from operations.doctor.store import check_store, check_store_with_database
from storage.probe import PREFIX
from storage.s3 import S3Store
from tests.conftest import Library
from tests.doctor.checks import findings, text_of
from tests.storage.conftest import store_behind, store_of_stack, supabase  # noqa: F401 - a fixture
from tests.storage.supabase import Supabase


def conversations() -> S3Store:
    return S3Store(store_of_stack().client, resources.settings().conversations_bucket)


def probes(store: S3Store) -> list[str]:
    return [item.key for item in store.listed() if item.key.startswith(PREFIX)]


def test_a_sound_store_has_no_finding_and_keeps_no_probe(engine):
    store = store_of_stack()
    checks = check_store(conversations(), store)
    assert findings(checks) == []
    assert [check.name for check in checks] == [
        "store.conversations", "store.training-files", "store.conversations-private",
        "store.writes-json", "store.writes-x-ndjson", "store.private", "store.copy", "store.links",
    ]  # fmt: skip
    assert findings(check_store_with_database(engine, store)) == []
    assert probes(store) == []


def test_a_sound_store_like_supabase_has_no_finding(engine, supabase: Supabase):  # noqa: F811
    store = store_behind(supabase)
    conversations = store_behind(supabase, bucket=resources.settings().conversations_bucket)
    assert findings(check_store(conversations, store)) == []
    assert findings(check_store_with_database(engine, store)) == []
    assert probes(store) == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"secret_key": "wrong"}, "store-refused"),
        ({"endpoint_url": "http://127.0.0.1:9"}, "store-unreachable"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_finding_for_each_bucket(engine, changes, finding):
    store = store_of_stack(**changes)
    assert findings(check_store(store, store)) == [finding, finding]


def test_a_bucket_that_is_not_there_is_named(engine):
    checks = check_store(conversations(), S3Store(store_of_stack().client, "nowhere"))
    assert findings(checks) == ["store-not-ready"]
    assert "no bucket “nowhere”" in text_of(checks, "store.training-files")


def test_an_endpoint_without_its_path_is_named(engine, supabase: Supabase):  # noqa: F811
    bare = supabase.url.removesuffix("/storage/v1/s3")
    checks = check_store(conversations(), store_behind(supabase, endpoint_url=bare))
    assert findings(checks) == ["store-not-ready"]
    assert "path of TRAINFOLD_S3_ENDPOINT_URL" in text_of(checks, "store.training-files")


def test_a_wrong_region_is_named(engine, supabase: Supabase):  # noqa: F811
    checks = check_store(conversations(), store_behind(supabase, region="mars-1"))
    assert len(findings(checks)) == 1
    assert "TRAINFOLD_S3_REGION" in text_of(checks, "store.training-files")


def test_a_bucket_that_does_not_take_a_type_is_named(engine, supabase: Supabase):  # noqa: F811
    supabase.types = {"application/json"}
    store = store_behind(supabase)
    checks = check_store(conversations(), store)
    assert findings(checks) == ["write-refused"]
    text = text_of(checks, "store.writes-x-ndjson")
    assert "takes no object of type application/x-ndjson" in text
    assert probes(store) == []


def test_a_store_that_does_not_copy_is_a_warning(engine, supabase: Supabase):  # noqa: F811
    supabase.canned[r"PUT .*partNumber.*"] = (501, "NotImplemented", "no copies here")
    store = store_behind(supabase)
    assert findings(check_store(conversations(), store)) == ["no-range-copy"]
    assert [upload for upload in store.uploads() if upload.key.startswith(PREFIX)] == []


@pytest.fixture
def open_bucket(engine):
    """A bucket that answers everybody."""
    store = S3Store(store_of_stack().client, "open-bucket")
    store.create_bucket()
    resource = "arn:aws:s3:::open-bucket"
    statement = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"],
                 "Resource": [resource, f"{resource}/*"]}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    store.client.put_bucket_policy(Bucket=store.bucket, Policy=policy)
    yield store
    store.client.delete_bucket_policy(Bucket=store.bucket)


def test_a_bucket_that_anyone_can_read_is_named(open_bucket: S3Store):
    checks = check_store(conversations(), open_bucket)
    assert findings(checks) == ["bucket-public"]
    assert "“open-bucket” without a password" in text_of(checks, "store.private")
    checks = check_store(open_bucket, store_of_stack())
    assert findings(checks) == ["bucket-public"]
    assert checks[2].name == "store.conversations-private"


def test_links_that_do_not_open_are_named(engine, supabase: Supabase):  # noqa: F811
    supabase.canned["GET .*X-Amz-Signature.*"] = (403, "AccessDenied", "not this way")
    assert findings(check_store(conversations(), store_behind(supabase))) == ["link-fails"]


def test_a_link_that_works_after_its_time_is_named(engine, monkeypatch):
    # As with a store whose clock is behind: to it, the time has not passed.
    monkeypatch.setattr(doctor, "sleep", lambda _: None)
    assert findings(check_store(conversations(), store_of_stack())) == ["link-stays-open"]


def test_a_bucket_of_another_database_is_named(engine, library: Library):
    store = S3Store(store_of_stack().client, "others-bucket")
    store.create_bucket()
    marker = {"installation": str(uuid4()), "bound_at": datetime.now(UTC).isoformat()}
    store.put(INSTALLATION_KEY, json.dumps(marker).encode(), content_type="application/json")
    checks = check_store_with_database(engine, store)
    assert findings(checks) == ["bucket-of-another-database"]
    assert "belongs to another trainfold database" in text_of(checks, "store.binding")


def test_objects_of_others_are_counted_and_old_probes_removed(engine, monkeypatch):
    store = S3Store(store_of_stack().client, "shared-bucket")
    store.create_bucket()
    for key in ("someones/training.json", f"{PREFIX}left.json"):
        store.put(key, b"{}", content_type="application/json")
    assert "; 1 objects of others" in text_of(
        check_store_with_database(engine, store), "store.binding"
    )
    assert probes(store) == [f"{PREFIX}left.json"]
    monkeypatch.setattr(doctor, "LEFT_OVER_AFTER", timedelta(0))
    check_store_with_database(engine, store)
    assert [item.key for item in store.listed()] == ["someones/training.json"]


@pytest.mark.parametrize("minutes", [-7, 7])
def test_clocks_that_differ_are_named(engine, supabase: Supabase, monkeypatch, minutes):  # noqa: F811
    ahead = timedelta(minutes=minutes)
    supabase.clock_is_ahead = ahead
    checks = check_store_with_database(engine, store_behind(supabase))
    assert findings(checks) == ["clock-differs"]
    monkeypatch.setattr(doctor, "now", lambda: datetime.now(UTC) + ahead)
    checks = check_store_with_database(engine, store_of_stack())
    assert findings(checks) == ["clock-differs"]
    assert "machine that runs this" in text_of(checks, "store.clocks")
