"""The S3 client, with the settings that every provider understands."""

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from domain.errors import NotReady
from storage.store import MIB

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READ_TIMEOUT_SECONDS = 60.0


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
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        # Checksum trailers have ended up inside of stored files with some providers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=5,
        read_timeout=read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=32,
    )
    try:
        client = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=config,
        )
    except (ValueError, BotoCoreError) as error:
        raise NotReady(
            f"The object store's address or region cannot be used: {error}. Nothing was changed. "
            "Set TRAINFOLD_S3_ENDPOINT_URL to https://host/path, and TRAINFOLD_S3_REGION."
        ) from error
    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register(f"before-call.s3.{operation}", _add_content_md5)
    return client


def _add_content_md5(params: dict[str, Any], **_: object) -> None:
    """Let the store refuse a body that changed on the way, where it checks Content-MD5."""
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
