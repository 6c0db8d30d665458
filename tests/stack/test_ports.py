"""Ports of the stack's servers: where a stopped server finds its own again."""

import socket
from pathlib import Path

import pytest

from trainfold.stack.loopback import choose_ports

CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_ports_are_distinct_and_free():
    ports = choose_ports([], count=8)
    sockets = [socket.create_server(("127.0.0.1", port)) for port in ports]
    for one in sockets:
        one.close()
    assert len(set(ports)) == 8


def test_ports_are_not_those_that_the_system_gives_to_clients():
    if not CLIENT_PORTS.exists():
        pytest.skip("only Linux tells which ports it gives to clients")
    lowest, highest = map(int, CLIENT_PORTS.read_text().split())
    assert not set(choose_ports([], count=50)) & set(range(lowest, highest + 1))


def test_a_server_keeps_its_ports_while_they_are_free():
    ports = choose_ports([], count=2)
    assert choose_ports(ports, count=2) == ports
    with socket.create_server(("127.0.0.1", ports[1])):
        moved = choose_ports(ports, count=2)
    assert not set(moved) & {ports[1]}
