"""The process's connections, made once from its settings when they are first needed."""

from functools import cache

from sqlalchemy import Engine

from db.engine import make_engine
from operations.settings import Settings
from storage.store import ObjectStore


@cache
def settings() -> Settings:
    return Settings()


@cache
def engine() -> Engine:
    return make_engine(
        settings().require_database_url(),
        schema=settings().database_schema,
        source_schema=settings().source_schema,
    )


@cache
def conversations_store() -> ObjectStore:
    return _store(settings().conversations_bucket)


@cache
def training_files_store() -> ObjectStore:
    return _store(settings().training_files_bucket)


def forget() -> None:
    """Read the settings again at the next use; the local stack's addresses may have changed."""
    for resource in (settings, engine, conversations_store, training_files_store):
        resource.cache_clear()


def _store(bucket: str) -> ObjectStore:
    from storage.client import make_client  # noqa: PLC0415 - boto3 takes long to import
    from storage.s3 import S3Store  # noqa: PLC0415

    access, secret = settings().s3_access_key, settings().s3_secret_key
    client = make_client(
        endpoint_url=settings().s3_endpoint_url,
        region=settings().s3_region,
        access_key=access.get_secret_value() if access else None,
        secret_key=secret.get_secret_value() if secret else None,
    )
    return S3Store(client, bucket)
