"""Maintenance of one training file's objects, while other trials run on the same bucket."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from domain.versions.naming import INSTALLATION_KEY
from operations.sweep import sweep_store
from storage.s3 import S3Store
from storage.store import ListedObject, ListedUpload

AT_ONCE = timedelta(minutes=-1)
"""As safe age: an object is old as soon as it is there."""


class OwnObjects:
    """The store as it looks when only these requests ever wrote into it."""

    def __init__(
        self,
        store: S3Store,
        request_ids: Collection[str],
        *,
        prefix: str = "",
        aged: Collection[str] = (),
    ) -> None:
        """`aged` are keys of objects that shall look a day older than they are."""
        self._store = store
        self._request_ids = request_ids
        self._prefix = prefix
        self._aged = aged

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def object_keys(self) -> set[str]:
        """List the objects of these requests."""
        return {item.key for item in self._listed_below(self._prefix) if self._is_own(item.key)}

    def listed(self) -> Iterator[ListedObject]:
        """List what maintenance judges: the bucket's marker, and the objects of these requests."""
        yield from self._listed_below(INSTALLATION_KEY)
        for item in self._listed_below(self._prefix):
            if self._is_own(item.key):
                yield self._dated(item)

    def uploads(self) -> Iterator[ListedUpload]:
        return (upload for upload in self._store.uploads() if self._is_own(upload.key))

    def _listed_below(self, prefix: str) -> Iterator[ListedObject]:
        pages = self._store.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._store.bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                yield ListedObject(item["Key"], item["Size"], item["LastModified"])

    def _is_own(self, key: str) -> bool:
        return any(f"-{request_id}." in key for request_id in self._request_ids)

    def _dated(self, item: ListedObject) -> ListedObject:
        aged = item.key in self._aged
        return replace(item, modified=item.modified - timedelta(days=1)) if aged else item


def maintain(engine: Engine, own: OwnObjects, *, safe_age: timedelta = AT_ONCE) -> None:
    sweep_store(engine, own, safe_age=safe_age, delete=True)
