"""Requests that show what a store can do. What they write is removed again.

Probes have keys of their own, which neither maintenance nor an application takes for theirs. What a
killed probe leaves is removed by the next.
"""

import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus

from botocore.exceptions import ClientError

from domain.errors import TrainfoldError, Unreachable
from storage.s3 import S3Store
from storage.store import ObjectStore

PREFIX = "trainfold-doctor/"
LEFT_OVER_AFTER = timedelta(hours=1)
SUPABASE_S3, SUPABASE_PUBLIC = "/storage/v1/s3/", "/storage/v1/object/public/"
TIMEOUT_SECONDS = 20


@contextmanager
def probe_key(store: ObjectStore) -> Iterator[str]:
    """Yield a key that nobody uses, and remove what is there afterwards, in any case."""
    key = f"{PREFIX}{secrets.token_hex(8)}.json"
    try:
        yield key
    finally:
        with suppress(TrainfoldError):
            store.delete(key)


def status_of_link(url: str) -> int:
    """Return the status with which a link is answered; raise Unreachable if it is not."""
    request = urllib.request.Request(url)  # noqa: S310 - an address of the configured store
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        place = url.partition("?")[0]
        raise Unreachable(
            f"Nothing answers at {place} ({type(error).__name__}). Nothing was changed. Is the "
            "store's address right for this machine?"
        ) from error


def open_address(store: ObjectStore, key: str) -> str | None:
    """Return an address at which anyone can read the object or list the bucket; None if none."""
    signed = store.download_link(key, file_name="probe", lifetime=timedelta(minutes=1))
    address = signed.partition("?")[0]
    listing = f"{address.removesuffix(key).rstrip('/')}?list-type=2&max-keys=1"
    candidates = [address, listing]
    if SUPABASE_S3 in address:
        candidates.append(address.replace(SUPABASE_S3, SUPABASE_PUBLIC))
    return next((url for url in candidates if status_of_link(url) == HTTPStatus.OK), None)


def copies_ranges(store: S3Store, source: str, target: str) -> bool:
    """Tell whether the store puts a range of one object into another by itself."""
    client, bucket = store.client, store.bucket
    upload = ""
    try:
        upload = client.create_multipart_upload(Bucket=bucket, Key=target)["UploadId"]
        part = client.upload_part_copy(
            Bucket=bucket,
            Key=target,
            UploadId=upload,
            PartNumber=1,
            CopySource={"Bucket": bucket, "Key": source},
            CopySourceRange="bytes=1-4",
        )
        client.complete_multipart_upload(
            Bucket=bucket,
            Key=target,
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]},
        )
    except ClientError:
        if upload:
            with suppress(ClientError):
                client.abort_multipart_upload(Bucket=bucket, Key=target, UploadId=upload)
        return False
    whole = store.get(source, max_bytes=1000)
    return store.get(target, max_bytes=1000) == whole[1:5]
