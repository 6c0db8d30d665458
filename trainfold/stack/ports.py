"""TCP ports of the loopback address."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def choose_ports(preferred: Sequence[int], *, count: int) -> list[int]:
    """The preferred ports while they are free, other free ports otherwise."""
    if len(preferred) == count and are_free(preferred):
        return list(preferred)
    return _free_ports(count)


def are_free(ports: Sequence[int]) -> bool:
    """Whether a server could listen on each of the ports now."""
    return all(_is_free(port) for port in ports)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections that a stopped server left in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _free_ports(count: int) -> list[int]:
    # All are held until the last is known, or the system could hand out one of them twice.
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
