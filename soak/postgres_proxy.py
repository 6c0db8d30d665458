"""A proxy that breaks database connections before, during or after a chosen statement."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from enum import StrEnum
from typing import Any

from soak.postgres_messages import (
    CANCEL_REQUEST,
    GSS_REQUEST,
    SSL_REQUEST,
    is_ready,
    read_message,
    read_startup,
    request_code,
    statement,
)
from soak.proxy import BROKEN_OFF, Address, Proxy, Streams, reset
from soak.script import Fault, Script

CONNECT = "CONNECT"
COMMIT = "^COMMIT"
DECLINED = b"N"


class DatabaseAction(StrEnum):
    DROP_BEFORE = "drops the connection before it arrives"
    DROP_HALF_SENT = "drops the connection when half of it arrived"
    DROP_SENT = "drops the connection as soon as it is sent"
    DROP_AFTER = "drops the connection after it is done, before the answer"
    STALL = "stalls, then goes on"
    KILL_BEFORE = "kills the client before it arrives"
    KILL_SENT = "kills the client as soon as it is sent"
    KILL_AFTER = "kills the client after it is done, before the answer"


KILLS = {DatabaseAction.KILL_BEFORE, DatabaseAction.KILL_SENT, DatabaseAction.KILL_AFTER}


class PostgresProxy(Proxy):
    def __init__(self, upstream: Address, script: Script[DatabaseAction]) -> None:
        super().__init__(upstream)
        self._script = script

    async def talk(self, client: Streams) -> None:
        startup = await self._startup(client)
        server = await asyncio.open_connection(*self.upstream)
        try:
            await _Session(client, server, self._script).run(startup)
        finally:
            server[1].close()

    async def _startup(self, client: Streams) -> bytes:
        reader, writer = client
        while request_code(startup := await read_startup(reader)) in (SSL_REQUEST, GSS_REQUEST):
            writer.write(DECLINED)
        return startup


class _Session:
    """One connection, in both directions; it ends when either direction ends."""

    def __init__(self, client: Streams, server: Streams, script: Script[DatabaseAction]) -> None:
        self._client_reader, self._client_writer = client
        self._server_reader, self._server_writer = server
        self._script = script
        self._withheld: Fault[DatabaseAction] | None = None
        """Strikes when the server is done; its answer is not forwarded to the client."""

    async def run(self, startup: bytes) -> None:
        fault = self._script.fault(CONNECT)
        if not await self._pass_on(startup, fault):
            return
        if request_code(startup) == CANCEL_REQUEST:
            return
        await _first_to_end(self._upwards(), self._downwards())

    async def _upwards(self) -> None:
        while True:
            message = await read_message(self._client_reader)
            text = statement(message)
            fault = self._script.fault(text) if text is not None else None
            if not await self._pass_on(message, fault):
                return

    async def _downwards(self) -> None:
        while True:
            message = await read_message(self._server_reader)
            if self._withheld is None:
                self._client_writer.write(message)
                await self._client_writer.drain()
            elif is_ready(message):
                self._break_off(self._withheld)
                return

    async def _pass_on(self, message: bytes, fault: Fault[DatabaseAction] | None) -> bool:
        """Send the message to the server with its fault; return False if the connection ends."""
        action = fault.action if fault else None
        if action == DatabaseAction.STALL and fault:
            await asyncio.sleep(fault.seconds)
        if action in (DatabaseAction.DROP_AFTER, DatabaseAction.KILL_AFTER):
            self._withheld = fault
        if action == DatabaseAction.DROP_HALF_SENT:
            self._server_writer.write(message[: len(message) // 2])
        elif action not in (DatabaseAction.DROP_BEFORE, DatabaseAction.KILL_BEFORE):
            self._server_writer.write(message)
        await self._server_writer.drain()
        if fault is None or action == DatabaseAction.STALL or self._withheld:
            return True
        self._break_off(fault)
        return False

    def _break_off(self, fault: Fault[DatabaseAction]) -> None:
        if fault.action in KILLS:
            self._script.kill_victim()
        reset(self._client_writer)


async def _first_to_end(*directions: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, *BROKEN_OFF):
                await task
