"""Requests to Prefect's REST API, which raise `domain.errors` for whatever goes wrong."""

import random
import re
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from itertools import count
from typing import Any

import httpx

from domain.errors import AccessRefused, Blocked, NotFound, Unreachable
from domain.findings import Reason

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.25, 8
MIN_ATTEMPTS = 6
"""Eight seconds of pauses. Prefect on SQLite answers 5xx to many concurrent requests."""
ATTEMPTS_BEFORE_A_WORD = 4
TIMEOUT = httpx.Timeout(30, connect=5)
_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
_FIELD = re.compile(r"(?:Error creating flow run: )?Validation failed(?: for field '(.+?)')?\. ")


class PrefectApi:
    """One server. Every request may be retried, so callers send only what can be repeated."""

    def __init__(
        self,
        url: str,
        *,
        auth: str | None = None,
        patience: timedelta = timedelta(),
        say_waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Create a client; `auth` is the server's PREFECT_SERVER_API_AUTH_STRING.

        Requests to a busy server are retried for as long as `patience`, and five times at least;
        `say_waiting` gets a message when that takes longer than usual.
        """
        user, _, password = (auth or "").partition(":")
        self.url = url.rstrip("/")
        self._patience_seconds = patience.total_seconds()
        self._say_waiting = say_waiting
        self._client = httpx.Client(timeout=TIMEOUT, auth=(user, password) if auth else None)

    def get(self, path: str) -> Any:
        return self._request("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._request("POST", path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._request("PUT", path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._request("PATCH", path, body)

    def delete(self, path: str) -> None:
        self._request("DELETE", path)

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        give_up = time.monotonic() + self._patience_seconds
        for attempt in count(1):
            is_last = attempt >= MIN_ATTEMPTS and time.monotonic() > give_up
            try:
                answer = self._client.request(method, f"{self.url}{path}", json=body)
            except (httpx.TransportError, httpx.InvalidURL) as error:
                if is_last or not _is_transient(error):
                    raise self._unreachable(type(error).__name__) from error
            else:
                if not _is_busy(answer):
                    return _content(answer)
                if is_last:
                    raise self._unreachable(f"status {answer.status_code}")
            if attempt == ATTEMPTS_BEFORE_A_WORD:
                self._say_waiting(f"The Prefect server at {self.url} is busy; asking it again …")
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), MAX_PAUSE_SECONDS)
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        raise AssertionError  # the last attempt returns or raises

    def _unreachable(self, detail: str) -> Unreachable:
        return Unreachable(
            f"The Prefect server at {self.url} does not answer ({detail}). "
            "Asking again under the same request id is safe."
        )


def _is_transient(error: Exception) -> bool:
    """Return whether a retry may help: a server that broke the connection may be restarting."""
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.InvalidURL)


def _is_busy(answer: httpx.Response) -> bool:
    """Return whether a retry may help: a locked SQLite shows as 503, a time-out on it as 500."""
    return answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.is_server_error


def _content(answer: httpx.Response) -> Any:
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise NotFound(f"Prefect knows no {answer.request.url.path.removeprefix('/api/')}.")
    if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise AccessRefused(
            f"The Prefect server at {answer.request.url.host} refuses the credentials. "
            "Nothing was submitted. Set TRAINFOLD_PREFECT_AUTH to its user:password."
        )
    if answer.status_code in _REFUSED:
        raise Blocked(_reasons(_json(answer)))
    if answer.is_error:
        raise Unreachable(
            f"The Prefect server answered {answer.status_code}: {answer.text[:200]}. "
            "Its log says why."
        )
    return _json(answer) if answer.content else None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise Unreachable(
            f"The answer from {answer.request.url} is not one of Prefect's API, whose address "
            "ends in /api."
        ) from error


def _reasons(body: Mapping[str, Any]) -> list[Reason]:
    """Return why Prefect refused a request: it answers with a list of errors or with one text."""
    detail = body.get("detail") or body.get("exception_detail") or body
    if isinstance(detail, list):
        return [_reason(error["msg"], ".".join(map(str, error["loc"]))) for error in detail]
    text = str(detail)
    field = _FIELD.match(text)
    return [_reason(text[field.end() :], field.group(1)) if field else _reason(text, None)]


def _reason(text: str, path: str | None) -> Reason:
    return Reason(code="bad-parameter", reason=text.removeprefix("Failure reason: "), path=path)
