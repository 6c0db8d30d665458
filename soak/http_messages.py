"""Read whole HTTP/1.1 messages as bytes, so that a proxy can forward them unchanged."""

import asyncio
import re
from dataclasses import dataclass, replace

BLANK_LINE = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODILESS = re.compile(rb"HTTP/1\.\d (1\d\d|204|304)\b")


@dataclass(frozen=True)
class Message:
    head: bytes
    """Start line, headers and the blank line."""
    body: bytes = b""

    def __bytes__(self) -> bytes:
        return self.head + self.body

    @property
    def target(self) -> str:
        """Return a request's method, path and query."""
        return self.head.partition(b" HTTP/")[0].decode("latin-1")

    def header(self, name: str) -> bytes | None:
        match = re.search(rb"\r\n" + name.encode() + rb":[ \t]*([^\r]*)", self.head, re.IGNORECASE)
        return match[1] if match else None

    def without(self, name: str) -> "Message":
        pattern = rb"\r\n" + name.encode() + rb":[^\r]*"
        return replace(self, head=re.sub(pattern, b"", self.head, flags=re.IGNORECASE))

    def flipped(self, place: float) -> "Message":
        """Flip one bit of the body."""
        if not self.body:
            return self
        at = min(int(len(self.body) * place), len(self.body) - 1)
        body = bytearray(self.body)
        body[at] ^= 1
        return replace(self, body=bytes(body))

    def cut(self, place: float) -> bytes:
        """Truncate the body, but not the length in the headers."""
        return self.head + self.body[: int(len(self.body) * place)]


def error(status: int, code: str) -> Message:
    """Build an error response of S3."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>soak</Message></Error>"
    head = f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\n"
    return Message(f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body.encode())


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Message | None:
    """Read the next request, or return None at the end; answer Expect: 100-continue."""
    try:
        message = Message(await reader.readuntil(BLANK_LINE))
    except asyncio.IncompleteReadError:
        return None
    if message.header("Expect"):
        writer.write(CONTINUE)
    # Signature v4 does not cover Expect, and upstream must not answer it a second time.
    message = message.without("Expect")
    return replace(message, body=await _read_body(reader, message))


async def read_answer(reader: asyncio.StreamReader, request: Message) -> Message:
    message = Message(await reader.readuntil(BLANK_LINE))
    if request.head.startswith(b"HEAD ") or _BODILESS.match(message.head):
        return message
    return replace(message, body=await _read_body(reader, message))


async def _read_body(reader: asyncio.StreamReader, message: Message) -> bytes:
    length = message.header("Content-Length")
    if length is not None:
        return await reader.readexactly(int(length))
    if message.header("Transfer-Encoding") == b"chunked":
        return await _read_chunks(reader)
    return b""


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    """Read the chunks with their framing."""
    body = b""
    size = -1
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        body += line + await reader.readexactly(size + 2)
    return body
