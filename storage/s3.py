"""S3 on boto3 (docs/configuration.md)."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from domain.errors import ObjectTooLarge, StoreRefused, TrainfoldError, Unreachable
from domain.format.digest import sha256
from domain.format.spans import Segment, Span
from domain.versions.file_names import content_disposition
from storage.copying import Carrier
from storage.errors import Target, code_of, is_missing, status_of, translated
from storage.multipart import MultipartUpload, StrategyRefused, UploadPart, UploadStrategy, cut
from storage.proof import ReadObject, SentRange, is_md5_of, is_same, sent_range
from storage.store import MIB, ListedObject, ListedUpload, ObjectState

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SINGLE_PUT_BYTES = 16 * MIB

UNCOPIED = UploadStrategy(min_bytes=16 * MIB, max_bytes=16 * MIB, copies=False)
"""Every store takes this: parts of equal size, all sent by this process."""
STRATEGIES = (
    UploadStrategy(min_bytes=5 * MIB, max_bytes=128 * MIB, copies=True),
    # R2 wants all parts but the last to be equal.
    UploadStrategy(min_bytes=16 * MIB, max_bytes=16 * MIB, copies=True),
    UNCOPIED,
)


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
        with self._own_errors():
            self.client.head_bucket(Bucket=self.bucket)

    def create_bucket(self) -> None:
        with self._own_errors():
            try:
                self.client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if not is_missing(error):
                    raise
                self._create_bucket()

    def _create_bucket(self) -> None:
        try:
            self.client.create_bucket(Bucket=self.bucket)
        except ClientError as error:
            if status_of(error) == HTTPStatus.CONFLICT:
                # Another process was faster; or it is another account's, which refuses this.
                self.client.head_bucket(Bucket=self.bucket)
            elif code_of(error) == "IllegalLocationConstraintException":
                # AWS outside of us-east-1 wants to be told the region that the endpoint is in.
                place: Any = {"LocationConstraint": self.client.meta.region_name}
                self.client.create_bucket(Bucket=self.bucket, CreateBucketConfiguration=place)
            else:
                raise

    def current_time(self) -> datetime:
        with self._own_errors():
            answer = self.client.head_bucket(Bucket=self.bucket)
        try:
            return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        except (KeyError, ValueError) as error:
            raise StoreRefused(
                f"The object store at {self.client.meta.endpoint_url} does not say what time it "
                "is (no Date in its answers). Nothing was changed."
            ) from error

    def state(self, key: str) -> ObjectState:
        with self._own_errors(key):
            answer = self.client.head_object(Bucket=self.bucket, Key=key)
        return ObjectState(answer["ContentLength"], answer["ETag"], answer["LastModified"])

    def get(self, key: str, *, max_bytes: int) -> bytes:
        read = self._get(key, max_bytes)
        if not read.is_proven(etag_is_md5=self._etag_is_md5):
            # The bytes changed on the way, or the store's ETags are no MD5: a second read tells.
            again = self._get(key, max_bytes)
            if read.sha256 or again.data != read.data:
                raise Unreachable(f"{self.bucket}/{key} was changed on the way.")
            self._etag_is_md5 = False
        return read.data

    def _get(self, key: str, max_bytes: int) -> ReadObject:
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
        return ReadObject(data, answer["ETag"], answer["Metadata"].get("sha256"))

    def chunks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        last = "" if end is None else end - 1
        # An empty object has no range: stores answer 416.
        span: Any = {"Range": f"bytes={start}-{last}"} if start or end is not None else {}
        with self._own_errors(key):
            answer = self.client.get_object(Bucket=self.bucket, Key=key, **span)
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(MIB)

    def size(self, key: str) -> int:
        return self.state(key).size_bytes

    def put(self, key: str, data: bytes, *, content_type: str, if_absent: bool = False) -> None:
        condition: Any = {"IfNoneMatch": "*"} if if_absent else {}
        with self._own_errors(key, content_type):
            try:
                answer = self.client.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=data,
                    ContentType=content_type,
                    Metadata={"sha256": sha256(data)},
                    **condition,
                )
            except ClientError as error:
                if if_absent and status_of(error) == HTTPStatus.PRECONDITION_FAILED:
                    return
                raise
        if data and not is_md5_of(answer["ETag"], data):
            self._read_back(key, [sent_range(data)])

    def _read_back(self, key: str, ranges: Iterable[SentRange]) -> None:
        """Raise Unreachable unless the store holds what was sent where its ETag does not tell.

        ETags of encrypted objects are no MD5s, and some stores ignore a wrong Content-MD5.
        """
        for sent in ranges:
            if not is_same(sent, self.chunks(key, sent.start, sent.end)):
                raise Unreachable(
                    f"{self.bucket}/{key} was changed on its way into the store. No version "
                    "refers to it; `trainfold maintain` removes it."
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
            return self.size(key)
        while True:
            strategy, *others = self._strategies
            try:
                return self._put_together(key, segments, content_type, carrier.read, strategy)
            except StrategyRefused as refused:
                if not others:
                    raise self._no_strategy_left(refused, key, content_type) from refused
            # A store that once failed at a strategy is never asked for it again.
            self._strategies = [each for each in self._strategies if each != strategy]

    def upload(self, key: str, file: BinaryIO, *, content_type: str) -> int:
        size = file.seek(0, os.SEEK_END)
        if size <= self._single_put_bytes:
            file.seek(0)
            self.put(key, file.read(), content_type=content_type)
            return self.size(key)

        def read(part: UploadPart) -> bytes:
            return b"".join(_bytes_of(file, segment) for segment in part.segments)

        whole = [Span(key, 0, size)]
        try:
            return self._put_together(key, whole, content_type, read, UNCOPIED)
        except StrategyRefused as refused:
            raise self._no_strategy_left(refused, key, content_type) from refused

    def _put_together(
        self,
        key: str,
        segments: Sequence[Segment],
        content_type: str,
        read: Callable[[UploadPart], bytes],
        strategy: UploadStrategy,
    ) -> int:
        """Return the object's size; raises StrategyRefused."""
        with self._own_errors(key, content_type):
            unconfirmed = MultipartUpload(self.client, self.bucket, key).carry_out(
                cut(segments, strategy), content_type=content_type, body=read
            )
        size = self.size(key)
        if size != sum(map(len, segments)) and strategy.copies:
            # Some stores take a copy for an empty part, or copy all of the object.
            raise StrategyRefused
        self._read_back(key, unconfirmed)
        return size

    def _no_strategy_left(
        self, refused: StrategyRefused, key: str, content_type: str
    ) -> TrainfoldError:
        if refused.answer:
            return translated(refused.answer, self._target(key, content_type))
        return StoreRefused(f"The object store does not put {key} together in any known way.")

    def delete(self, key: str) -> None:
        with self._own_errors(key):
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def listed(self) -> Iterator[ListedObject]:
        with self._own_errors():
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
            for page in pages:
                for item in page.get("Contents", []):
                    yield ListedObject(item["Key"], item["Size"], item["LastModified"])

    def uploads(self) -> Iterator[ListedUpload]:
        with self._own_errors():
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
            for page in pages:
                for item in page.get("Uploads", []):
                    yield ListedUpload(item["Key"], item["UploadId"], item["Initiated"])

    def abort(self, upload: ListedUpload) -> None:
        with self._own_errors(upload.key):
            try:
                self.client.abort_multipart_upload(
                    Bucket=self.bucket, Key=upload.key, UploadId=upload.upload_id
                )
            except ClientError as error:
                if code_of(error) != "NoSuchUpload":
                    raise

    def download_link(self, key: str, *, file_name: str, lifetime: timedelta) -> str:
        return self.client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "ResponseContentDisposition": content_disposition(file_name),
            },
            ExpiresIn=int(lifetime.total_seconds()),
        )

    @contextmanager
    def _own_errors(self, key: str = "", content_type: str = "") -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise translated(error, self._target(key, content_type)) from error

    def _target(self, key: str, content_type: str) -> Target:
        meta = self.client.meta
        return Target(self.bucket, key, str(meta.endpoint_url), meta.region_name, content_type)


def _bytes_of(file: BinaryIO, segment: Segment) -> bytes:
    """Return the range of an open file that the segment is; several threads may read at once."""
    assert isinstance(segment, Span)  # noqa: S101 - what `upload` cuts
    return os.pread(file.fileno(), len(segment), segment.start)
