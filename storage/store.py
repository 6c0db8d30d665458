"""What trainfold needs of an object store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from domain.format.spans import Segment

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ObjectState:
    """What the store says an object is now: any write to its key changes it."""

    size_bytes: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object in a listing of the bucket."""

    key: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class ListedUpload:
    """A multipart upload that was neither completed nor aborted."""

    key: str
    upload_id: str
    begun: datetime


class ObjectStore(Protocol):
    """One bucket. All methods raise the domain's errors: ObjectMissing, AccessRefused,
    StoreRefused, Unreachable, NotReady (no such bucket, or not at this address).
    """

    @property
    def bucket(self) -> str:
        """The bucket's name, for messages."""

    def require(self) -> None:
        """Raise unless the bucket exists and may be used."""

    def create_bucket(self) -> None:
        """Make the bucket if it is missing."""

    def current_time(self) -> datetime:
        """Read the store's clock, to the second."""

    def state(self, key: str) -> ObjectState:
        """Look at an object without reading it."""

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """Read the whole object; raises ObjectTooLarge before reading more than `max_bytes`."""

    def chunks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Read bytes `start` to `end` (excluded), a piece at a time."""

    def size(self, key: str) -> int:
        """Return how many bytes the object has."""

    def put(self, key: str, data: bytes, *, content_type: str, if_absent: bool = False) -> None:
        """Write a small object.

        With `if_absent`, leave an object that is there alone. Some stores overwrite it all the
        same: who must know reads it back.
        """

    def compose(self, key: str, segments: Sequence[Segment], *, content_type: str) -> int:
        """Write an object from literal bytes and spans of other objects, in bounded memory.

        Returns the size that the store says the object has; leaves nothing behind when it fails.
        """

    def upload(self, key: str, file: BinaryIO, *, content_type: str) -> int:
        """Write an object from an open file, in bounded memory, as `compose` does."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""

    def listed(self) -> Iterator[ListedObject]:
        """List all objects of the bucket."""

    def uploads(self) -> Iterator[ListedUpload]:
        """List the multipart uploads that are not finished."""

    def abort(self, upload: ListedUpload) -> None:
        """Abort an upload; one that is not there is no error."""

    def download_link(self, key: str, *, file_name: str, lifetime: timedelta) -> str:
        """Sign a link that anyone can open for `lifetime`; a browser saves it as `file_name`."""
