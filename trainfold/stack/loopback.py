"""The loopback address: its free TCP ports, and HTTP requests to servers that listen on it."""

import http.client
import random
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

LOOPBACK = "127.0.0.1"
LOOPBACK_NAMES = frozenset({"localhost", LOOPBACK, "[::1]"})
"""What a URL of a server on this machine calls its host."""
SERVER_PORTS = range(20_000, 30_000)
"""Below the ranges for clients of Linux (32768 and up) and macOS (49152 and up), and below
Kubernetes' node ports."""
_RANDOM = random.SystemRandom()
_TIMEOUT_SECONDS = 5


def are_free(ports: Sequence[int]) -> bool:
    """Return whether a server could listen on each of the ports now."""
    return all(_is_free(port) for port in ports)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Servers set this, too: connections that a stopped server left in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose_ports(
    preferred: Sequence[int], *, count: int, can_use: Callable[[Sequence[int]], bool] = are_free
) -> list[int]:
    """Return the preferred ports if they can be used, otherwise other free ports."""
    if len(preferred) == count and can_use(preferred):
        return list(preferred)
    return _free_ports(count)


def _free_ports(count: int) -> list[int]:
    """Draw free ports that the system does not give to clients.

    A port of the range for clients may be a connection's when its server is to start again, and
    the server would move to another address.
    """
    shuffled = _RANDOM.sample(SERVER_PORTS, len(SERVER_PORTS))
    return list(islice(filter(_is_free, shuffled), count))


def host_name(host: str) -> str:
    """Return a Host header's value without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def get(url: str, *, context: ssl.SSLContext | None = None) -> Answer | None:
    """Return what the server answers, errors included; None if nothing answers."""
    # A proxy from the environment could not reach our loopback address.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(url, timeout=_TIMEOUT_SECONDS) as response:
            return Answer(response.status, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())
    except (OSError, http.client.HTTPException):
        return None
