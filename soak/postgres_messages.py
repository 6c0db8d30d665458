"""Read the messages of PostgreSQL's protocol 3 that a proxy must distinguish."""

import asyncio
import struct

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
_INT = struct.Struct("!i")


async def read_startup(reader: asyncio.StreamReader) -> bytes:
    """Read the first message, which has no type."""
    length = await reader.readexactly(_INT.size)
    return length + await reader.readexactly(_INT.unpack(length)[0] - _INT.size)


def request_code(startup: bytes) -> int:
    """Return the protocol's version, or one of the request codes above."""
    return int(_INT.unpack_from(startup, _INT.size)[0])


async def read_message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(1 + _INT.size)
    return head + await reader.readexactly(_INT.unpack_from(head, 1)[0] - _INT.size)


def statement(message: bytes) -> str | None:
    """Return the text of a simple Query or of a Parse; None for other messages."""
    payload = message[1 + _INT.size :]
    match message[:1]:
        case b"Q":
            return _text(payload)
        case b"P":
            return _text(payload.partition(b"\0")[2])
        case _:
            return None


def is_ready(message: bytes) -> bool:
    """Tell whether this is the server's ReadyForQuery message."""
    return message[:1] == b"Z"


def _text(payload: bytes) -> str:
    return payload.partition(b"\0")[0].decode(errors="replace")
