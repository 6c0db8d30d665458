"""What boto3 raises, as the domain's errors; every refusal with a remedy in words."""

from dataclasses import dataclass
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

from domain.errors import (
    AccessRefused,
    NotReady,
    ObjectMissing,
    StoreRefused,
    TrainfoldError,
    Unreachable,
)

MISSING = {"404", "NoSuchKey", "NotFound"}
OTHERS_MISSING = {"NoSuchBucket", "NoSuchUpload"}
"""Codes of a 404 that is not about an object."""
REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}
ELSEWHERE = {
    "AuthorizationHeaderMalformed",
    "PermanentRedirect",
    "TemporaryRedirect",
    "IllegalLocationConstraintException",
}
BROKEN_ON_THE_WAY = {"BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentSHA256Mismatch"}
TEMPORARY_CODES = BROKEN_ON_THE_WAY | {
    # The list of an upload's parts changed on the way.
    "InvalidPart",
    "MalformedXML",
    # The answer to a completed upload was lost, and boto3 asked again.
    "NoSuchUpload",
    "OperationAborted",
    "SlowDown",
}
TEMPORARY_STATUSES = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.LOCKED,
    HTTPStatus.TOO_MANY_REQUESTS,
}
TOO_LARGE = {"EntityTooLarge"}
BAD_KEY = {"InvalidKey", "InvalidURI", "KeyTooLongError", "XMinioInvalidObjectName"}
OF_AN_OBJECT = {"GetObject", "HeadObject", "DeleteObject", "UploadPartCopy"}
"""Operations to which a bare 404 says that the object is missing; to others, the bucket is."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request was about."""

    bucket: str
    key: str
    endpoint_url: str
    region: str
    content_type: str = ""

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}"


def code_of(error: ClientError) -> str:
    """Return the store's error code; its HTTP status where it gives none.

    botocore leaves `Error.Code` empty and puts it one level up when the body has an XML namespace,
    as Supabase Storage's has.
    """
    code = error.response.get("Error", {}).get("Code") or error.response.get("Code")
    return str(code or status_of(error))


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_missing(error: ClientError) -> bool:
    code = code_of(error)
    if code in MISSING:
        return True
    return status_of(error) == HTTPStatus.NOT_FOUND and code not in OTHERS_MISSING


def is_temporary(error: ClientError) -> bool:
    """Tell whether the same request may succeed when it is sent again."""
    status, code = status_of(error), code_of(error)
    if code in TEMPORARY_CODES or status in TEMPORARY_STATUSES or not status:
        return True
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED


def translated(error: ClientError | BotoCoreError, target: Target) -> TrainfoldError:
    """Return the domain's error for what boto3 raised."""
    if isinstance(error, ClientError):
        return _answered(error, target)
    if isinstance(error, NoCredentialsError):
        return NotReady(
            "No S3 credentials are configured. Set TRAINFOLD_S3_ACCESS_KEY and "
            "TRAINFOLD_S3_SECRET_KEY, or run `trainfold up` for the local stack."
        )
    what = "broke off" if isinstance(error, HTTPClientError) else "failed"
    return Unreachable(
        f"The connection to the object store {what} at {target} "
        f"({type(error).__name__}; {target.endpoint_url}). Nothing was changed. Try again; check "
        "the network, and TRAINFOLD_S3_ENDPOINT_URL."
    )


def _answered(error: ClientError, target: Target) -> TrainfoldError:
    if code_of(error) == "NoSuchBucket":
        return NotReady(_no_bucket(error, target))
    if is_missing(error):
        if error.operation_name in OF_AN_OBJECT:
            return ObjectMissing(f"There is no object {target}.")
        return NotReady(_no_bucket(error, target))
    if is_temporary(error):
        return Unreachable(
            f"The object store answered {_answer(error)} at {target}. Trying again may help."
        )
    return _refused(error, target)


def _refused(error: ClientError, target: Target) -> TrainfoldError:
    code, status = code_of(error), status_of(error)
    # The answer to a HEAD of the bucket has no body that could say more than 400.
    is_vague = status == HTTPStatus.BAD_REQUEST and not target.key
    if code in ELSEWHERE or is_vague or status < HTTPStatus.BAD_REQUEST:
        return NotReady(_elsewhere(error, target))
    if code in REFUSED or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AccessRefused(_no_access(error, target))
    return StoreRefused(_refusal(error, target))


def _answer(error: ClientError) -> str:
    """Return the store's own words: status, code and message."""
    words = error.response.get("Error", {}).get("Message") or error.response.get("Message")
    status, code = str(status_of(error)), code_of(error)
    answer = status if code == status else f"{status} {code}"
    return f"{answer}: {words}" if words else answer


def _no_bucket(error: ClientError, target: Target) -> str:
    return (
        f"There is no bucket “{target.bucket}” at {target.endpoint_url} ({_answer(error)}). "
        "Nothing was changed. Check the host and the path of TRAINFOLD_S3_ENDPOINT_URL "
        "(Supabase's ends in /storage/v1/s3) and TRAINFOLD_S3_REGION "
        f"(“{target.region}”). If they are right, `trainfold migrate` makes the bucket, or name "
        "another in TRAINFOLD_…_BUCKET."
    )


def _elsewhere(error: ClientError, target: Target) -> str:
    return (
        f"The object store at {target.endpoint_url} does not serve the bucket “{target.bucket}” "
        f"in region “{target.region}” ({_answer(error)}). Nothing was changed. Set "
        "TRAINFOLD_S3_ENDPOINT_URL and TRAINFOLD_S3_REGION to the bucket's own."
    )


def _no_access(error: ClientError, target: Target) -> str:
    remedy = (
        f"The secret key or the region (“{target.region}”) is not the store's: check "
        "TRAINFOLD_S3_SECRET_KEY and TRAINFOLD_S3_REGION."
        if code_of(error) == "SignatureDoesNotMatch"
        else "Check TRAINFOLD_S3_ACCESS_KEY, and what that key may do in the bucket."
    )
    return f"The object store refuses access to {target} ({_answer(error)}). {remedy}"


def _refusal(error: ClientError, target: Target) -> str:
    code, status, answer = code_of(error), status_of(error), _answer(error)
    if code in TOO_LARGE or status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return (
            f"{target} is larger than the bucket allows ({answer}). It was not stored. Raise the "
            f"size limit of the bucket “{target.bucket}”, and the whole store's if it has one, "
            "then run the request again."
        )
    if code == "InvalidMimeType" or status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        return (
            f"The bucket {target.bucket} takes no object of type {target.content_type} ({answer}). "
            f"{target.key} was not stored. Allow the type in the bucket's settings, or name a "
            "bucket that takes it in TRAINFOLD_…_BUCKET."
        )
    if code in BAD_KEY:
        return (
            f"The object store takes no such key as {target} ({answer}). Nothing was stored. "
            "Give the object a key of ASCII letters, digits and /_.- and correct the path to it."
        )
    return (
        f"The object store refuses a request for {target} ({answer}), and would refuse it again. "
        "Nothing was stored. What it says is wrong has to be changed first."
    )
