from collections.abc import Iterator

import pytest

from operations import resources
from soak.services import Services
from storage.client import make_client
from storage.s3 import S3Store
from tests.storage.supabase import REGION, Supabase, running
from trainfold.stack import Stack


@pytest.fixture
def supabase(stack: Stack) -> Iterator[Supabase]:
    """The session's S3 as Supabase Storage would serve it."""
    services = Services.of(resources.settings())
    served = Supabase(services.s3, services.s3_access_key, services.s3_secret_key)
    with running(served):
        yield served


def store_behind(supabase: Supabase, *, bucket: str = "training-files", **changes) -> S3Store:
    values = {
        "endpoint_url": supabase.url,
        "region": REGION,
        "access_key": supabase.access_key,
        "secret_key": supabase.secret_key,
    }
    return S3Store(make_client(**values | changes), bucket)


def store_of_stack(**changes) -> S3Store:
    services = Services.of(resources.settings())
    values = {
        "endpoint_url": services.s3_url,
        "region": services.s3_region,
        "access_key": services.s3_access_key,
        "secret_key": services.s3_secret_key,
    }
    return S3Store(make_client(**values | changes), "training-files")


@pytest.fixture(params=["SeaweedFS", "Supabase"])
def store(request: pytest.FixtureRequest, stack: Stack) -> S3Store:
    """A store that has not learnt anything yet; each test runs on both."""
    if request.param == "SeaweedFS":
        return store_of_stack()
    return store_behind(request.getfixturevalue("supabase"))
