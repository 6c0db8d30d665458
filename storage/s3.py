"""S3 on boto3 (docs/configuration.md)."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from domain.errors import NotReady, ObjectTooLarge, Unreachable
from domain.format.digest import sha256
from domain.format.spans import Segment
from storage.client import MISSING, code_of, translated
from storage.copying import Carrier
from storage.multipart import MultipartUpload, StrategyRefused, UploadPart, UploadStrategy, cut
from storage.store import MIB, ListedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SINGLE_PUT_BYTES = 16 * MIB

STRATEGIES = (
    UploadStrategy(min_bytes=5 * MIB, max_bytes=128 * MIB, copies=True),
    # R2 wants all parts but the last to be equal.
    UploadStrategy(min_bytes=16 * MIB, max_bytes=16 * MIB, copies=True),
    UploadStrategy(min_bytes=16 * MIB, max_bytes=16 * MIB, copies=False),
)

MD5 = re.compile("[0-9a-f]{32}")


class S3Store:
    """One bucket behind an S3 API (see `storage.store.ObjectStore`)."""

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        *,
        single_put_bytes: int = SINGLE_PUT_BYTES,
        strategies: Sequence[UploadStrategy] = STRATEGIES,
    ) -> None:
        """Objects of up to `single_put_bytes` are written in one request, larger ones by the first
        of the strategies that the store does not refuse.
        """
        self.client = client
        self.bucket = bucket
        self._single_put_bytes = single_put_bytes
        self._strategies = list(strategies)
        self._etag_is_md5 = True

    def require(self) -> None:
        with self._own_errors(""):
            try:
                self.client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if code_of(error) not in MISSING:
                    raise
                raise NotReady(
                    f"There is no bucket “{self.bucket}” at {self.client.meta.endpoint_url}. "
                    "Nothing was changed. Create it, or name another in TRAINFOLD_…_BUCKET."
                ) from error

    def create_bucket(self) -> None:
        try:
            self.require()
        except NotReady:
            with self._own_errors(""):
                self.client.create_bucket(Bucket=self.bucket)

    def get(self, key: str, *, max_bytes: int) -> bytes:
        read = self._get(key, max_bytes)
        if not self._is_proven(read):
            # The bytes changed on the way, or the store's ETags are no MD5: a second read tells.
            again = self._get(key, max_bytes)
            if read.sha256 or again.data != read.data:
                raise Unreachable(f"{self.bucket}/{key} was changed on the way.")
            self._etag_is_md5 = False
        return read.data

    def _is_proven(self, read: "_Read") -> bool:
        """Tell whether the bytes are those that were written, as far as the store says."""
        if read.sha256:
            return sha256(read.data) == read.sha256
        return not (self._etag_is_md5 and MD5.fullmatch(read.etag)) or _md5(read.data) == read.etag

    def _get(self, key: str, max_bytes: int) -> "_Read":
        with self._own_errors(key):
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            size = answer["ContentLength"]
            with closing(answer["Body"]) as body:
                data = body.read(max_bytes + 1) if size <= max_bytes else b""
        if size > max_bytes:
            raise ObjectTooLarge(f"{self.bucket}/{key} has {size:,} bytes; at most {max_bytes:,}.")
        if len(data) != size:
            # botocore checks the length only when it is asked for the whole body.
            raise Unreachable(
                f"{self.bucket}/{key} broke off after {len(data):,} of {size:,} bytes."
            )
        return _Read(data, answer["ETag"].strip('"'), answer["Metadata"].get("sha256"))

    def chunks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        last = "" if end is None else end - 1
        with self._own_errors(key):
            answer = self.client.get_object(
                Bucket=self.bucket, Key=key, Range=f"bytes={start}-{last}"
            )
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(MIB)

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        with self._own_errors(key):
            self.client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=data,
                ContentType=content_type,
                Metadata={"sha256": sha256(data)},
            )

    def compose(self, key: str, segments: Sequence[Segment], *, content_type: str) -> int:
        small = self._single_put_bytes
        carrier = Carrier(
            segments,
            small_bytes=small,
            get=partial(self.get, max_bytes=small),
            chunks=self.chunks,
        )
        if sum(map(len, segments)) <= small:
            data = carrier.read(UploadPart(tuple(segments), is_copy=False))
            self.put(key, data, content_type=content_type)
            return self._size(key)
        while True:
            strategy, *others = self._strategies
            size = self._put_together(key, segments, content_type, carrier, strategy)
            if size is not None:
                return size
            if not others:
                raise Unreachable(f"The object store does not put {key} together in any known way.")
            # A store that once failed at a strategy is never asked for it again.
            self._strategies = [each for each in self._strategies if each != strategy]

    def _put_together(
        self,
        key: str,
        segments: Sequence[Segment],
        content_type: str,
        carrier: Carrier,
        strategy: UploadStrategy,
    ) -> int | None:
        """Return the object's size; None where the store does not take the strategy."""
        try:
            with self._own_errors(key):
                MultipartUpload(self.client, self.bucket, key).carry_out(
                    cut(segments, strategy), content_type=content_type, body=carrier.read
                )
        except StrategyRefused:
            return None
        size = self._size(key)
        # Some stores take a copy for an empty part, or copy all of the object.
        return size if size == sum(map(len, segments)) or not strategy.copies else None

    def _size(self, key: str) -> int:
        with self._own_errors(key):
            return self.client.head_object(Bucket=self.bucket, Key=key)["ContentLength"]

    def delete(self, key: str) -> None:
        with self._own_errors(key):
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def listed(self) -> Iterator[ListedObject]:
        with self._own_errors(""):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
            for page in pages:
                for item in page.get("Contents", []):
                    yield ListedObject(item["Key"], item["Size"], item["LastModified"])

    def abort_uploads(self, *, before: datetime) -> int:
        aborted = 0
        with self._own_errors(""):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
            for upload in (upload for page in pages for upload in page.get("Uploads", [])):
                if upload["Initiated"] < before:
                    self.client.abort_multipart_upload(
                        Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                    aborted += 1
        return aborted

    def download_link(self, key: str, *, file_name: str, lifetime: timedelta) -> str:
        disposition = f"attachment; filename=\"{file_name}\"; filename*=UTF-8''{quote(file_name)}"
        return self.client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "ResponseContentDisposition": disposition,
            },
            ExpiresIn=int(lifetime.total_seconds()),
        )

    @contextmanager
    def _own_errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            endpoint = str(self.client.meta.endpoint_url)
            raise translated(error, f"{self.bucket}/{key}", endpoint) from error


class _Read(NamedTuple):
    """An object as it was read, with what the store says of it."""

    data: bytes
    etag: str
    """Their MD5, with most stores and objects."""
    sha256: str | None
    """Recorded by us when it was written."""


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
