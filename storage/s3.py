"""S3 on boto3, with the settings that every provider understands (docs/configuration.md)."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

from domain.errors import (
    AccessRefused,
    NotReady,
    ObjectMissing,
    ObjectTooLarge,
    TrainfoldError,
    Unreachable,
)
from domain.merge import Segment, Span
from storage.store import Listed, Stored

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PIECE = 1024 * 1024
PART = 16 * 1024 * 1024
"""Bytes of a multipart part: all parts but the last are equal, as R2 wants it."""

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
        self._client = client
        self.bucket = bucket
        self._etag_is_md5 = True

    def require(self) -> None:
        with self._own_errors(""):
            try:
                self._client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if _code(error) not in MISSING:
                    raise
                raise NotReady(
                    f"There is no bucket “{self.bucket}” at {self._client.meta.endpoint_url}. "
                    "Nothing was changed. Create it, or name another in TRAINFOLD_…_BUCKET."
                ) from error

    def create_bucket(self) -> None:
        try:
            self.require()
        except NotReady:
            with self._own_errors(""):
                self._client.create_bucket(Bucket=self.bucket)

    def get(self, key: str, *, most_bytes: int) -> bytes:
        data, etag = self._get(key, most_bytes)
        if self._etag_is_md5 and MD5.fullmatch(etag) and _md5(data) != etag:
            # Changed on the way, or the store's ETags are something else: read again to know.
            again, _ = self._get(key, most_bytes)
            if again != data:
                raise Unreachable(f"{self.bucket}/{key} was changed on the way.")
            self._etag_is_md5 = False
        return data

    def _get(self, key: str, most_bytes: int) -> tuple[bytes, str]:
        """The object's bytes and its ETag, which is their MD5 with most stores."""
        with self._own_errors(key):
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
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
        return data, answer["ETag"].strip('"')

    def chunks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        last = "" if end is None else end - 1
        with self._own_errors(key):
            answer = self._client.get_object(
                Bucket=self.bucket, Key=key, Range=f"bytes={start}-{last}"
            )
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(PIECE)

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        with self._own_errors(key):
            self._client.put_object(
                Bucket=self.bucket, Key=key, Body=data, ContentType=content_type
            )

    def compose(self, key: str, segments: Sequence[Segment], *, content_type: str) -> Stored:
        reader = _HashingReader(self._pieces(segments))
        transfer = TransferConfig(
            multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=2
        )
        with self._own_errors(key):
            self._client.upload_fileobj(
                cast("IO[bytes]", reader),
                self.bucket,
                key,
                ExtraArgs={"ContentType": content_type},
                Config=transfer,
            )
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        return Stored(size_bytes=head["ContentLength"], sha256=reader.sha256)

    def delete(self, key: str) -> None:
        with self._own_errors(key):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def listed(self) -> Iterator[Listed]:
        with self._own_errors(""):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
            for page in pages:
                for item in page.get("Contents", []):
                    yield Listed(item["Key"], item["Size"], item["LastModified"])

    def abort_uploads(self, *, before: datetime) -> int:
        aborted = 0
        with self._own_errors(""):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket
            )
            for upload in (upload for page in pages for upload in page.get("Uploads", [])):
                if upload["Initiated"] < before:
                    self._client.abort_multipart_upload(
                        Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                    aborted += 1
        return aborted

    def download_link(self, key: str, *, file_name: str, lifetime: timedelta) -> str:
        disposition = f"attachment; filename=\"{file_name}\"; filename*=UTF-8''{quote(file_name)}"
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "ResponseContentDisposition": disposition,
            },
            ExpiresIn=int(lifetime.total_seconds()),
        )

    def _pieces(self, segments: Sequence[Segment]) -> Iterator[bytes]:
        for segment in segments:
            if isinstance(segment, bytes):
                yield segment
            elif segment.object_sha256 is None:
                yield from self.chunks(segment.key, segment.start, segment.end)
            else:
                yield from self._proven(segment, segment.object_sha256)

    def _proven(self, span: Span, expected: str) -> Iterator[bytes]:
        """The span's bytes; raises Unreachable at the end if the object is not as expected."""
        digest = hashlib.sha256()
        at = 0
        for piece in self.chunks(span.key):
            digest.update(piece)
            wanted = piece[max(span.start - at, 0) : max(span.end - at, 0)]
            if wanted:
                yield wanted
            at += len(piece)
        if digest.hexdigest() != expected:
            raise Unreachable(
                f"What was read of {self.bucket}/{span.key} is not what its version recorded. "
                "Nothing was written. If `trainfold verify` says that it is damaged in the store, "
                "`trainfold rebuild --whole` makes a new version from the sources."
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
            f"({type(error).__name__}; {self._client.meta.endpoint_url})."
        )


class _HashingReader:
    """A file-like object over an iterator of bytes, for boto3, that hashes what passes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        held = [self._rest]
        length = len(self._rest)
        while size < 0 or length < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            held.append(piece)
            length += len(piece)
        data = b"".join(held)
        if size >= 0:
            data, self._rest = data[:size], data[size:]
        self._hash.update(data)
        return data


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
