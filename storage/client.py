"""The S3 client, with the settings that every provider understands, and its errors as ours."""

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

from domain.errors import AccessRefused, NotReady, ObjectMissing, TrainfoldError, Unreachable
from storage.store import MIB

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READ_TIMEOUT_SECONDS = 60.0
REFUSED = {"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden"}
MISSING = {"404", "NoSuchKey", "NotFound"}


def make_client(
    *,
    endpoint_url: str | None,
    region: str,
    access_key: str | None,
    secret_key: str | None,
    read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
) -> "S3Client":
    """Make a client that connects when it is first used.

    Without keys, boto3's own chain of credentials finds them.
    """
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
            read_timeout=read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=32,
        ),
    )
    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register(f"before-call.s3.{operation}", _add_content_md5)
    return client


def _add_content_md5(params: dict[str, Any], **_: object) -> None:
    """Let the store refuse a body that changed on the way: every provider checks Content-MD5."""
    digest = hashlib.md5(usedforsecurity=False)
    body = params["body"]
    if isinstance(body, bytes | bytearray):
        digest.update(body)
    else:
        start = body.tell()
        while piece := body.read(MIB):
            digest.update(piece)
        body.seek(start)
    params["headers"]["Content-MD5"] = b64encode(digest.digest()).decode()


def translated(error: ClientError | BotoCoreError, place: str, endpoint_url: str) -> TrainfoldError:
    """Return the domain's error for what boto3 raised at `place`, a bucket and a key."""
    if isinstance(error, ClientError):
        return _answered(code_of(error), place)
    if isinstance(error, NoCredentialsError):
        return NotReady(
            "No S3 credentials are configured. Set TRAINFOLD_S3_ACCESS_KEY and "
            "TRAINFOLD_S3_SECRET_KEY, or run `trainfold up` for the local stack."
        )
    what = "broke off" if isinstance(error, HTTPClientError) else "failed"
    return Unreachable(
        f"The connection to the object store {what} at {place} "
        f"({type(error).__name__}; {endpoint_url})."
    )


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _answered(code: str, place: str) -> TrainfoldError:
    if code in MISSING:
        return ObjectMissing(f"There is no object {place}.")
    if code in REFUSED:
        return AccessRefused(f"The object store refuses access to {place} ({code}).")
    if code == "NoSuchBucket":
        return NotReady(f"There is no bucket for {place}.")
    return Unreachable(f"The object store answered {code} at {place}.")
