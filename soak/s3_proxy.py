"""A proxy that injects faults into requests to an S3 server.

Bytes are forwarded unchanged, including Host: the client signs for the proxy's address, and
SeaweedFS checks the signature against the Host that it receives.
"""

from soak.http_messages import Message, read_request
from soak.proxy import Address, Proxy, Streams, reset
from soak.s3_faults import Exchange, S3Action
from soak.script import Script


class S3Proxy(Proxy):
    def __init__(self, upstream: Address, script: Script[S3Action]) -> None:
        super().__init__(upstream)
        self._script = script

    async def talk(self, client: Streams) -> None:
        reader, writer = client
        while (request := await read_request(reader, writer)) is not None:
            if not await self._answer(request, client):
                return

    async def _answer(self, request: Message, client: Streams) -> bool:
        """Forward a request or strike it; return False if that ends the connection."""
        fault = self._script.fault(request.target)
        exchange = Exchange(request, client, proxy=self, script=self._script)
        answer = await (exchange.strike(fault) if fault else exchange.do())
        if answer is None:
            reset(client[1])
            return False
        client[1].write(answer)
        await client[1].drain()
        return fault is None or fault.action != S3Action.TRUNCATE_ANSWER
