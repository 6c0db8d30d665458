"""S3 on boto3, with the settings that every provider understands (docs/configuration.md)."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

from domain.digest import sha256
from domain.errors import (
    AccessRefused,
    NotReady,
    ObjectMissing,
    ObjectTooLarge,
    TrainfoldError,
    Unreachable,
)
from domain.merge import Segment
from storage.carrying import Carrier
from storage.multipart import Upload, WayRefused
from storage.parts import MIB, Part, Way, cut
from storage.store import Listed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PIECE = MIB
ONE_PUT = 16 * MIB
"""Up to this size an object is sent in one request."""

WAYS = (
    Way(least=5 * MIB, most=128 * MIB, copies=True),
    # R2 wants all parts but the last to be equal.
    Way(least=16 * MIB, most=16 * MIB, copies=True),
    Way(least=16 * MIB, most=16 * MIB, copies=False),
)
"""How an object is put together; a store that refuses one way is asked the next."""

MD5 = re.compile("[0-9a-f]{32}")

REFUSED = {"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden"}
MISSING = {"404", "NoSuchKey", "NotFound"}


def make_client(
    *, endpoint_url: str | None, region: str, access_key: str | None, secret_key: str | None
) -> "S3Client":
    """A client that connects when it is first used; without keys, boto3's own chain finds them."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            # Checksum trailers have ended up inside of stored files with some providers.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=32,
        ),
    )
    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register(f"before-call.s3.{operation}", _add_content_md5)
    return client


def _add_content_md5(params: dict[str, Any], **_: object) -> None:
    """Have the store refuse a body that changed on the way; every provider knows this header."""
    digest = hashlib.md5(usedforsecurity=False)
    body = params["body"]
    if isinstance(body, bytes | bytearray):
        digest.update(body)
    else:
        start = body.tell()
        while piece := body.read(PIECE):
            digest.update(piece)
        body.seek(start)
    params["headers"]["Content-MD5"] = b64encode(digest.digest()).decode()


class S3Store:
    """One bucket behind an S3 API (see `storage.store.ObjectStore`)."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self.client = client
        self.bucket = bucket
        self._etag_is_md5 = True
        self._way = 0

    def require(self) -> None:
        with self._own_errors(""):
            try:
                self.client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if _code(error) not in MISSING:
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

    def get(self, key: str, *, most_bytes: int) -> bytes:
        read = self._get(key, most_bytes)
        if not self._is_proven(read):
            # Changed on the way, or the store's ETags are something else: read again to know.
            again = self._get(key, most_bytes)
            if read.sha256 or again.data != read.data:
                raise Unreachable(f"{self.bucket}/{key} was changed on the way.")
            self._etag_is_md5 = False
        return read.data

    def _is_proven(self, read: "_Read") -> bool:
        """Whether the bytes are those that were written, as far as the store tells."""
        if read.sha256:
            return sha256(read.data) == read.sha256
        return not (self._etag_is_md5 and MD5.fullmatch(read.etag)) or _md5(read.data) == read.etag

    def _get(self, key: str, most_bytes: int) -> "_Read":
        with self._own_errors(key):
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            size = answer["ContentLength"]
            with closing(answer["Body"]) as body:
                data = body.read(most_bytes + 1) if size <= most_bytes else b""
        if size > most_bytes:
            raise ObjectTooLarge(f"{self.bucket}/{key} has {size:,} bytes; at most {most_bytes:,}.")
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
                yield from body.iter_chunks(PIECE)

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
        carrier = Carrier(
            segments,
            small_bytes=ONE_PUT,
            get=partial(self.get, most_bytes=ONE_PUT),
            chunks=self.chunks,
        )
        if sum(map(len, segments)) <= ONE_PUT:
            data = carrier.read(Part(tuple(segments), is_copy=False))
            self.put(key, data, content_type=content_type)
            return self._size(key)
        while (size := self._put_together(key, segments, content_type, carrier)) is None:
            # Once a store has not put an object together as it should, it is not asked again.
            self._way += 1
        return size

    def _put_together(
        self, key: str, segments: Sequence[Segment], content_type: str, carrier: Carrier
    ) -> int | None:
        """The object's size; None when the store does not take this way of making it."""
        way = WAYS[self._way]
        try:
            with self._own_errors(key):
                Upload(self.client, self.bucket, key).carry_out(
                    cut(segments, way), content_type=content_type, body=carrier.read
                )
        except WayRefused as refused:
            if way is WAYS[-1]:
                raise Unreachable(f"The object store did not make {key}: {refused}") from refused
            return None
        size = self._size(key)
        # Some stores take a copy for an empty part, or copy all of the object.
        return size if size == sum(map(len, segments)) or not way.copies else None

    def _size(self, key: str) -> int:
        with self._own_errors(key):
            return self.client.head_object(Bucket=self.bucket, Key=key)["ContentLength"]

    def delete(self, key: str) -> None:
        with self._own_errors(key):
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def listed(self) -> Iterator[Listed]:
        with self._own_errors(""):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
            for page in pages:
                for item in page.get("Contents", []):
                    yield Listed(item["Key"], item["Size"], item["LastModified"])

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
            raise self._translated(error, f"{self.bucket}/{key}") from error

    def _translated(self, error: Exception, place: str) -> TrainfoldError:
        if isinstance(error, ClientError):
            return _answered(_code(error), place)
        if isinstance(error, NoCredentialsError):
            return NotReady(
                "No S3 credentials are configured. Set TRAINFOLD_S3_ACCESS_KEY and "
                "TRAINFOLD_S3_SECRET_KEY, or run `trainfold up` for the local stack."
            )
        what = "broke off" if isinstance(error, HTTPClientError) else "failed"
        return Unreachable(
            f"The connection to the object store {what} at {place} "
            f"({type(error).__name__}; {self.client.meta.endpoint_url})."
        )


class _Read(NamedTuple):
    """An object as it was read, and what the store tells of it."""

    data: bytes
    etag: str
    """Their MD5, with most stores and objects."""
    sha256: str | None
    """Recorded by us when it was written."""


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _answered(code: str, place: str) -> TrainfoldError:
    if code in MISSING:
        return ObjectMissing(f"There is no object {place}.")
    if code in REFUSED:
        return AccessRefused(f"The object store refuses access to {place} ({code}).")
    if code == "NoSuchBucket":
        return NotReady(f"There is no bucket for {place}.")
    return Unreachable(f"The object store answered {code} at {place}.")
