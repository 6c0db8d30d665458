"""Faults that can happen to a request to an object store, or to its response."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

from soak.http_messages import Message, error, read_answer
from soak.proxy import BROKEN_OFF, Proxy, Streams
from soak.script import Fault, Script


class S3Action(StrEnum):
    ANSWER_500 = "answers 500"
    SLOW_DOWN = "answers 503 SlowDown"
    DONE_BUT_500 = "does it and answers 500"
    RESET = "resets the connection"
    LOSE_ANSWER = "does it and loses the answer"
    STALL = "stalls, then goes on"
    HOLD = "never answers"
    TRUNCATE_ANSWER = "breaks off the answer's body"
    TRUNCATE_REQUEST = "breaks off the request's body"
    FLIP_REQUEST = "flips a bit of the request's body"
    FLIP_ANSWER = "flips a bit of the answer's body"
    DO_TWICE = "does it twice"
    ANSWER_TWICE = "answers twice"
    DO_LATE = "resets the connection and does it later"
    KILL_BEFORE = "kills the client before it is done"
    KILL_AFTER = "kills the client after it is done"
    WAIT_BEFORE = "waits until somebody else has done something, then does it"
    WAIT_AFTER = "does it, and answers when somebody else has done something"


S3Fault = Fault[S3Action]
INTERNAL_ERROR = bytes(error(500, "InternalError"))
SLOW_DOWN = bytes(error(503, "SlowDown"))


class Exchange:
    """One request; each fault returns the bytes for the client, or None to reset its connection."""

    def __init__(
        self, request: Message, client: Streams, *, proxy: Proxy, script: Script[S3Action]
    ) -> None:
        self._request = request
        self._client = client
        self._proxy = proxy
        self._script = script

    async def do(self) -> bytes:
        return bytes(await self._ask(self._request))

    async def strike(self, fault: S3Fault) -> bytes | None:
        return await _STRIKES[fault.action](self, fault)

    async def answer_500(self, _: S3Fault) -> bytes | None:
        return INTERNAL_ERROR

    async def slow_down(self, _: S3Fault) -> bytes | None:
        return SLOW_DOWN

    async def done_but_500(self, _: S3Fault) -> bytes | None:
        await self.do()
        return INTERNAL_ERROR

    async def reset(self, _: S3Fault) -> bytes | None:
        return None

    async def lose_answer(self, _: S3Fault) -> bytes | None:
        await self.do()
        return None

    async def stall(self, fault: S3Fault) -> bytes | None:
        await asyncio.sleep(fault.seconds)
        return await self.do()

    async def hold(self, _: S3Fault) -> bytes | None:
        # Returns when the client gives up, as it sends nothing before it has an answer.
        await self._client[0].read(1)
        return None

    async def truncate_answer(self, fault: S3Fault) -> bytes | None:
        return (await self._ask(self._request)).cut(fault.place)

    async def truncate_request(self, fault: S3Fault) -> bytes | None:
        _, writer = await asyncio.open_connection(*self._proxy.upstream)
        writer.write(self._request.cut(fault.place))
        await writer.drain()
        writer.close()
        return None

    async def flip_request(self, fault: S3Fault) -> bytes | None:
        return bytes(await self._ask(self._request.flipped(fault.place)))

    async def flip_answer(self, fault: S3Fault) -> bytes | None:
        return bytes((await self._ask(self._request)).flipped(fault.place))

    async def do_twice(self, _: S3Fault) -> bytes | None:
        await self.do()
        return await self.do()

    async def answer_twice(self, _: S3Fault) -> bytes | None:
        return await self.do() * 2

    async def do_late(self, fault: S3Fault) -> bytes | None:
        self._proxy.spawn(self._do_after(fault.seconds))
        return None

    async def kill_before(self, _: S3Fault) -> bytes | None:
        self._script.kill_victim()
        return None

    async def kill_after(self, _: S3Fault) -> bytes | None:
        await self.do()
        self._script.kill_victim()
        return None

    async def wait_before(self, _: S3Fault) -> bytes | None:
        await asyncio.to_thread(self._script.meanwhile)
        return await self.do()

    async def wait_after(self, _: S3Fault) -> bytes | None:
        answer = await self.do()
        await asyncio.to_thread(self._script.meanwhile)
        return answer

    async def _ask(self, request: Message) -> Message:
        reader, writer = await asyncio.open_connection(*self._proxy.upstream)
        try:
            writer.write(bytes(request))
            return await read_answer(reader, request)
        finally:
            writer.close()

    async def _do_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        try:
            await self.do()
        except BROKEN_OFF:
            # No client waits for the answer.
            return


_STRIKES: dict[S3Action, Callable[[Exchange, S3Fault], Awaitable[bytes | None]]] = {
    S3Action.ANSWER_500: Exchange.answer_500,
    S3Action.SLOW_DOWN: Exchange.slow_down,
    S3Action.DONE_BUT_500: Exchange.done_but_500,
    S3Action.RESET: Exchange.reset,
    S3Action.LOSE_ANSWER: Exchange.lose_answer,
    S3Action.STALL: Exchange.stall,
    S3Action.HOLD: Exchange.hold,
    S3Action.TRUNCATE_ANSWER: Exchange.truncate_answer,
    S3Action.TRUNCATE_REQUEST: Exchange.truncate_request,
    S3Action.FLIP_REQUEST: Exchange.flip_request,
    S3Action.FLIP_ANSWER: Exchange.flip_answer,
    S3Action.DO_TWICE: Exchange.do_twice,
    S3Action.ANSWER_TWICE: Exchange.answer_twice,
    S3Action.DO_LATE: Exchange.do_late,
    S3Action.KILL_BEFORE: Exchange.kill_before,
    S3Action.KILL_AFTER: Exchange.kill_after,
    S3Action.WAIT_BEFORE: Exchange.wait_before,
    S3Action.WAIT_AFTER: Exchange.wait_after,
}
