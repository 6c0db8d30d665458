"""The expected bytes of a version's two objects, as the version and its members record them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.errors import Damaged
from domain.format import Format, full_json
from domain.format.digest import sha256
from domain.format.full_json import BETWEEN, TAIL
from domain.format.jsonl import meta_line
from domain.versions.record import Member, VersionRecord


@dataclass(frozen=True, slots=True)
class Section:
    """Consecutive bytes of an object, known by their digest."""

    what: str
    size_bytes: int
    sha256: str
    is_conversation: bool = False


class ByteStream:
    """Reads exact lengths from an iterator of byte chunks, and counts the bytes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._buffer = bytearray()
        self.size_bytes = 0

    @property
    def position(self) -> int:
        return self.size_bytes - len(self._buffer)

    def read(self, length: int) -> bytes:
        """Return the next `length` bytes, or fewer at the end."""
        while len(self._buffer) < length and (chunk := next(self._chunks, None)) is not None:
            self.size_bytes += len(chunk)
            self._buffer += chunk
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return data

    def drain(self) -> int:
        """Read to the end; return the number of bytes read."""
        left = 0
        while data := self.read(1024 * 1024):
            left += len(data)
        return left


def header(version: VersionRecord, format: Format) -> bytes:
    """Render the bytes before the content: the full JSON's header, or the `_meta` line."""
    if format == "jsonl":
        return meta_line(version.file_name, version.example_count)
    return full_json.header(
        name=version.file_name,
        created=version.training_file_created_at,
        updated=version.created_at,
        statistics=version.statistics,
        consultant_profile=version.consultant_profile,
    )


def sections(
    version: VersionRecord, members: Iterable[Member], format: Format
) -> Iterator[Section]:
    yield _literal("the header", header(version, format))
    between = _literal("a separator", BETWEEN if format == "json" else b"")
    for index, member in enumerate(members):
        if index and between.size_bytes:
            yield between
        what = f"conversation {member.conversation_id}"
        if format == "json":
            yield Section(what, member.json_length, member.json_sha256, is_conversation=True)
        else:
            yield Section(what, member.jsonl_length, member.jsonl_sha256, is_conversation=True)
    yield _literal("the end", TAIL if format == "json" else b"")


def proven(
    version: VersionRecord, members: Iterable[Member], format: Format, chunks: Iterable[bytes]
) -> Iterator[tuple[Section, bytes]]:
    """Yield the object's sections with their bytes, each once its digest is verified.

    Raises Damaged before the first section that differs.
    """
    stream = ByteStream(chunks)
    for section in sections(version, members, format):
        data = stream.read(section.size_bytes)
        if sha256(data) != section.sha256:
            finding = f"{section.what} in the {format.upper()} is not what the version records"
            raise Damaged(version.training_file, version.number, [finding])
        yield section, data
    if left := stream.drain():
        finding = f"the {format.upper()} has {left:,} bytes after its end"
        raise Damaged(version.training_file, version.number, [finding])


def _literal(what: str, data: bytes) -> Section:
    return Section(what, len(data), sha256(data))
