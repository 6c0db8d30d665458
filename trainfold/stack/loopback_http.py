"""Asks a server of this machine how it is."""

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass

_TIMEOUT_SECONDS = 5
# A proxy from the environment could not reach our loopback address.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def get(url: str) -> Answer | None:
    """What the server answers, errors included; None while nothing answers."""
    try:
        with _opener.open(url, timeout=_TIMEOUT_SECONDS) as response:
            return Answer(response.status, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())
    except (OSError, http.client.HTTPException):
        return None
