"""Maintenance of one training file's objects, while other trials run on the same bucket."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from operations.sweep import sweep_store
from storage.s3 import S3Store
from storage.store import ListedObject

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
        return {item.key for item in self.listed()}

    def listed(self) -> Iterator[ListedObject]:
        pages = self._store.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._store.bucket, Prefix=self._prefix):
            for item in page.get("Contents", []):
                listed = ListedObject(item["Key"], item["Size"], item["LastModified"])
                if self._is_own(listed.key):
                    yield self._dated(listed)

    def abort_uploads(self, *, before: datetime) -> int:  # noqa: ARG002 - the store's signature
        """Abort none: they may be other trials'."""
        return 0

    def _is_own(self, key: str) -> bool:
        return any(f"-{request_id}." in key for request_id in self._request_ids)

    def _dated(self, item: ListedObject) -> ListedObject:
        aged = item.key in self._aged
        return replace(item, modified=item.modified - timedelta(days=1)) if aged else item


def maintain(engine: Engine, own: OwnObjects, *, safe_age: timedelta = AT_ONCE) -> None:
    sweep_store(engine, own, safe_age=safe_age, delete=True)
