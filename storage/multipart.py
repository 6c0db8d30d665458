"""An object put together from parts, several at a time; given up as a whole when one fails."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from domain.errors import ObjectMissing
from domain.merge import Span
from storage.parts import Part

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

THREADS = 4
NOT_THE_WAY = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_IMPLEMENTED,
}
"""What stores answer that do not copy ranges, or want all parts but the last to be equal."""


class WayRefused(Exception):
    """The store does not take an object that is put together in this way."""


class Upload:
    """One multipart upload to one key."""

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._id = ""

    def carry_out(
        self, parts: Iterable[Part], *, content_type: str, body: Callable[[Part], bytes]
    ) -> None:
        """Upload the parts in parallel; `body` gives the bytes of those that are sent.

        Raises WayRefused, what boto3 raises, and what `body` raises.
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
        self, parts: Iterable[Part], body: Callable[[Part], bytes]
    ) -> "list[CompletedPartTypeDef]":
        with ThreadPoolExecutor(THREADS) as pool:
            futures = [
                pool.submit(self._copy, number, part)
                if part.is_copy
                else pool.submit(self._send, number, part, body)
                for number, part in enumerate(parts, 1)
            ]
            _first_failure_stops(futures)
        return [future.result() for future in futures]

    def _copy(self, number: int, part: Part) -> "CompletedPartTypeDef":
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
            raise WayRefused
        return {"PartNumber": number, "ETag": etag}

    def _send(
        self, number: int, part: Part, body: Callable[[Part], bytes]
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


def _first_failure_stops(futures: "list[Future[CompletedPartTypeDef]]") -> None:
    """Wait for all; once one has failed, those that have not begun are not begun."""
    done, rest = wait(futures, return_when="FIRST_EXCEPTION")
    for future in rest:
        future.cancel()
    wait(rest)
    for future in done:
        future.result()


def _refused(error: ClientError) -> Exception:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return WayRefused(str(error)) if status in NOT_THE_WAY else error
