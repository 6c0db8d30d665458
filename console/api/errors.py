"""Every error of the API as problem details."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.problems import Problem, invalid_field, problem_response
from domain.errors import AccessRefused, Blocked, NotFound, NotReady, TrainfoldError, Unreachable

RETRY_SECONDS = 5
KINDS: dict[type[Exception], tuple[int, str, str]] = {
    NotFound: (404, "not-found", "Not found"),
    NotReady: (503, "not-ready", "The set-up is incomplete"),
    Unreachable: (503, "unreachable", "A service does not answer"),
    AccessRefused: (503, "access-refused", "A service refuses trainfold's credentials"),
}
OTHER = (502, "service-failed", "A service that trainfold uses failed")
REUSED = "request-id-reused"
JSON_ERRORS = {"json_invalid", "json_type"}

DESCRIPTIONS = {
    400: "The body is not JSON.",
    401: "There is no valid token in the `Authorization` header.",
    404: "There is no such thing; `detail` says what is missing.",
    409: "Rules say no; `blocked` gives every reason, and nothing was submitted.",
    411: "The body was sent without `Content-Length`.",
    413: "The body is larger than 256 KiB.",
    415: "The body's `Content-Type` is not `application/json`.",
    421: "The service does not answer to the name in the `Host` header.",
    422: "The request does not have the described form; `invalid` lists what is wrong.",
    429: "The token sent too many requests; `Retry-After` says when to go on.",
    502: "A service that trainfold uses failed; `detail` says which.",
    503: "A service does not answer, or is not set up; `detail` says which.",
}
ALWAYS = (401, 413, 421, 422, 429, 502, 503)
"""What any operation may be answered with: the others depend on what it takes."""
WITH_BODY = (400, 409, 411, 415)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that an operation may be answered with, for its OpenAPI entry."""
    documented = sorted({*ALWAYS, *statuses})
    return {it: {"model": Problem, "description": DESCRIPTIONS[it]} for it in documented}


def handle_errors(api: FastAPI) -> None:
    api.add_exception_handler(TrainfoldError, _domain_error)
    api.add_exception_handler(RequestValidationError, _invalid_request)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(Exception, _defect)


async def _domain_error(_: Request, error: Exception) -> Response:
    if isinstance(error, Blocked):
        return _blocked(error)
    status, name, title = next(
        (kind for base, kind in KINDS.items() if isinstance(error, base)), OTHER
    )
    headers = {"Retry-After": str(RETRY_SECONDS)} if isinstance(error, Unreachable) else {}
    return problem_response(status, str(error), name=name, title=title, headers=headers)


def _blocked(blocked: Blocked) -> Response:
    if any(reason.code == REUSED for reason in blocked.reasons):
        status, name, title = 422, REUSED, "The Idempotency-Key belongs to another request"
    else:
        status, name, title = 409, "blocked", "Blocked by a rule"
    return problem_response(status, str(blocked), name=name, title=title, blocked=blocked.reasons)


async def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    errors = error.errors()
    if errors[0]["type"] == "json_invalid":
        return problem_response(400, f"The body is not JSON: {errors[0]['ctx']['error']}.")
    invalid = [invalid_field(it["loc"], it["msg"]) for it in errors]
    detail = "; ".join(f"{it.field}: {it.message}" for it in invalid[:3])
    return problem_response(
        422,
        f"The request does not have the described form. {detail}. Nothing was changed.",
        name="invalid-request",
        title="The request does not have the described form",
        invalid=invalid,
    )


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    headers = error.headers or {}
    if error.status_code == HTTPStatus.NOT_FOUND:
        root = request.scope["root_path"]
        detail = f"There is nothing at this address; {root}/openapi.json describes all there are."
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"This address takes {headers.get('Allow')}, not {request.method}."
    else:
        detail = str(error.detail)
    return problem_response(error.status_code, detail, headers=headers)


async def _defect(_: Request, __: Exception) -> Response:
    # Starlette raises the error again when this is sent, and the web server logs it.
    return problem_response(500, "This is a defect of trainfold. The console's log has the error.")
