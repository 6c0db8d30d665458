"""An object put together from parts: how it is cut, and the upload, aborted when a part fails."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from domain.errors import ObjectMissing
from domain.format.spans import Segment, Span

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

THREADS = 4
MAX_PARTS = 10_000
REFUSALS = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_IMPLEMENTED,
}
"""What stores answer that do not copy ranges, or want all parts but the last to be equal."""


class StrategyRefused(Exception):
    """The store does not take an object that is put together in this way."""


@dataclass(frozen=True, slots=True)
class UploadStrategy:
    """What a store takes: every part but the last has `min_bytes` to `max_bytes`."""

    min_bytes: int
    max_bytes: int
    copies: bool
    """Whether the store itself copies a range of another object into a part."""


@dataclass(frozen=True, slots=True)
class UploadPart:
    """Bytes that this process uploads or, where it is a copy, one span that the store copies."""

    segments: tuple[Segment, ...]
    is_copy: bool


def cut(segments: Sequence[Segment], strategy: UploadStrategy) -> Iterator[UploadPart]:
    """Cut an object into parts, in order. Ranges that the store cannot copy are uploaded."""
    smallest = max(strategy.min_bytes, -(-sum(map(len, segments)) // MAX_PARTS))
    held: list[Segment] = []
    room = smallest
    for segment in segments:
        start, end = 0, len(segment)
        while start < end:
            is_range = isinstance(segment, Span) and end - start >= smallest
            copy = strategy.copies and not held and is_range
            taken = min(end - start, max(smallest, strategy.max_bytes) if copy else room)
            piece = _slice(segment, start, start + taken)
            start += taken
            if copy:
                yield UploadPart((piece,), is_copy=True)
                continue
            held.append(piece)
            room -= taken
            if not room:
                yield UploadPart(tuple(held), is_copy=False)
                held, room = [], smallest
    if held:
        yield UploadPart(tuple(held), is_copy=False)


def _slice(segment: Segment, start: int, end: int) -> Segment:
    if isinstance(segment, Span):
        return Span(segment.key, segment.start + start, segment.start + end)
    return segment[start:end]


class MultipartUpload:
    """One multipart upload to one key."""

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._id = ""

    def carry_out(
        self, parts: Iterable[UploadPart], *, content_type: str, body: Callable[[UploadPart], bytes]
    ) -> None:
        """Upload the parts in parallel; `body` gives the bytes of those that are not copied.

        Raises StrategyRefused, what boto3 raises, and what `body` raises; the upload is aborted.
        """
        self._id = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=self._key, ContentType=content_type
        )["UploadId"]
        try:
            self._complete(self._upload(parts, body))
        except BaseException:
            self._abort()
            raise

    def _upload(
        self, parts: Iterable[UploadPart], body: Callable[[UploadPart], bytes]
    ) -> "list[CompletedPartTypeDef]":
        with ThreadPoolExecutor(THREADS) as pool:
            futures = [
                pool.submit(self._copy, number, part)
                if part.is_copy
                else pool.submit(self._send, number, part, body)
                for number, part in enumerate(parts, 1)
            ]
            _stop_at_first_failure(futures)
        return [future.result() for future in futures]

    def _copy(self, number: int, part: UploadPart) -> "CompletedPartTypeDef":
        (span,) = part.segments
        assert isinstance(span, Span)  # noqa: S101 - what a copy is
        try:
            answer = self._client.upload_part_copy(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._id,
                PartNumber=number,
                CopySource={"Bucket": self._bucket, "Key": span.key},
                CopySourceRange=f"bytes={span.start}-{span.end - 1}",
            )
        except self._client.exceptions.NoSuchKey as error:
            raise ObjectMissing(f"There is no object {self._bucket}/{span.key}.") from error
        except ClientError as error:
            raise _refused(error) from error
        etag = answer.get("CopyPartResult", {}).get("ETag")
        if not etag:
            # Some stores answer 200 to a copy that they do not know.
            raise StrategyRefused
        return {"PartNumber": number, "ETag": etag}

    def _send(
        self, number: int, part: UploadPart, body: Callable[[UploadPart], bytes]
    ) -> "CompletedPartTypeDef":
        answer = self._client.upload_part(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._id,
            PartNumber=number,
            Body=body(part),
        )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _complete(self, parts: "list[CompletedPartTypeDef]") -> None:
        try:
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._id,
                MultipartUpload={"Parts": parts},
            )
        except ClientError as error:
            raise _refused(error) from error

    def _abort(self) -> None:
        with suppress(ClientError, BotoCoreError):
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._id
            )


def _stop_at_first_failure(futures: "list[Future[CompletedPartTypeDef]]") -> None:
    """Wait for all; once one has failed, cancel those that have not begun."""
    done, rest = wait(futures, return_when="FIRST_EXCEPTION")
    for future in rest:
        future.cancel()
    wait(rest)
    for future in done:
        future.result()


def _refused(error: ClientError) -> Exception:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return StrategyRefused(str(error)) if status in REFUSALS else error
