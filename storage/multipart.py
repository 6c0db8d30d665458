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
from storage.errors import BROKEN_ON_THE_WAY, TOO_LARGE, code_of, is_missing, status_of
from storage.proof import SentRange, is_md5_of, sent_range

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
    """The store does not take an object that is put together in this way; holds its answer."""

    def __init__(self, answer: ClientError | None = None) -> None:
        super().__init__(answer)
        self.answer = answer


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

    @property
    def size(self) -> int:
        return sum(map(len, self.segments))


@dataclass(frozen=True, slots=True)
class _UploadedPart:
    completed: "CompletedPartTypeDef"
    unconfirmed: SentRange | None = None


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
    ) -> list[SentRange]:
        """Upload the parts in parallel; `body` gives the bytes of those that are not copied.

        Returns the uploaded ranges whose bytes the store did not confirm. Raises StrategyRefused,
        what boto3 raises, and what `body` raises; the upload is aborted.
        """
        self._id = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=self._key, ContentType=content_type
        )["UploadId"]
        try:
            uploaded = self._upload(parts, body)
            self._complete([part.completed for part in uploaded])
        except BaseException:
            self._abort()
            raise
        return [part.unconfirmed for part in uploaded if part.unconfirmed]

    def _upload(
        self, parts: Iterable[UploadPart], body: Callable[[UploadPart], bytes]
    ) -> "list[_UploadedPart]":
        futures = []
        start = 0
        with ThreadPoolExecutor(THREADS) as pool:
            for number, part in enumerate(parts, 1):
                if part.is_copy:
                    futures.append(pool.submit(self._copy, number, part))
                else:
                    futures.append(pool.submit(self._send, number, part, start, body))
                start += part.size
            _stop_at_first_failure(futures)
        return [future.result() for future in futures]

    def _copy(self, number: int, part: UploadPart) -> "_UploadedPart":
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
        except ClientError as error:
            if is_missing(error):
                raise ObjectMissing(f"There is no object {self._bucket}/{span.key}.") from error
            raise _refused(error) from error
        etag = answer.get("CopyPartResult", {}).get("ETag")
        if not etag:
            # Some stores answer 200 to a copy that they do not know.
            raise StrategyRefused
        return _UploadedPart({"PartNumber": number, "ETag": etag})

    def _send(
        self, number: int, part: UploadPart, start: int, body: Callable[[UploadPart], bytes]
    ) -> "_UploadedPart":
        data = body(part)
        answer = self._client.upload_part(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._id,
            PartNumber=number,
            Body=data,
        )
        etag = answer["ETag"]
        confirmed = is_md5_of(etag, data)
        return _UploadedPart(
            {"PartNumber": number, "ETag": etag},
            None if confirmed else sent_range(data, start=start),
        )

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


def _stop_at_first_failure(futures: "list[Future[_UploadedPart]]") -> None:
    """Wait for all; once one has failed, cancel those that have not begun."""
    done, rest = wait(futures, return_when="FIRST_EXCEPTION")
    for future in rest:
        future.cancel()
    wait(rest)
    for future in done:
        future.result()


def _refused(error: ClientError) -> Exception:
    if status_of(error) in REFUSALS and code_of(error) not in BROKEN_ON_THE_WAY | TOO_LARGE:
        return StrategyRefused(error)
    return error
