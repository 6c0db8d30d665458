"""A TCP proxy on loopback: one task per client, all in one thread, all cancelled on close."""

import asyncio
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from trainfold.stack.loopback import LOOPBACK

T = TypeVar("T")
Address = tuple[str, int]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

BROKEN_OFF = (ConnectionError, asyncio.IncompleteReadError)
_CALL_SECONDS = 30


class Proxy(ABC):
    """A proxy of `upstream`; a subclass defines how a connection is served."""

    def __init__(self, upstream: Address) -> None:
        self.upstream = upstream
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def talk(self, client: Streams) -> None:
        """Serve one connection to its end."""

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task in the background, until the proxy closes at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.spawn(self._serve_until_broken((reader, writer)))

    async def _serve_until_broken(self, client: Streams) -> None:
        try:
            with suppress(*BROKEN_OFF):
                await self.talk(client)
        finally:
            client[1].close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with a TCP reset, as a crashed peer does."""
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class ProxyThread:
    """The thread that all proxies of a process run in."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_SECONDS)
        self._loop.close()

    @contextmanager
    def running(self, proxy: Proxy) -> Iterator[int]:
        """Run the proxy for the block; yields its port."""
        self.call(proxy.open())
        try:
            yield proxy.port
        finally:
            self.call(proxy.close())

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_SECONDS)
