"""A version log and a store in memory, kept honest by `test_contracts.py`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from db.commit import MAX_COMMIT_TIME
from domain.errors import CommitConflict, ObjectMissing
from domain.format.digest import sha256
from domain.format.spans import Segment
from domain.versions.composing import Composition
from domain.versions.naming import name_key
from domain.versions.record import Member, VersionRecord
from storage.store import ObjectState
from tests.domain.making import NOW


class MemoryVersionLog:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.before_commit: Callable[[Composition], None] = lambda _: None
        self.after_commit: Callable[[Composition], None] = lambda _: None
        self._versions: dict[str, list[VersionRecord]] = {}
        self._members: dict[tuple[UUID, int], list[Member]] = {}
        self._archived: set[UUID] = set()

    def current_time(self) -> datetime:
        return self.now

    def commit(self, composition: Composition) -> None:
        self.before_commit(composition)
        version = composition.version
        made = self._versions.setdefault(name_key(version.training_file), [])
        if self.now - version.created_at > MAX_COMMIT_TIME:
            raise CommitConflict("Its objects were written more than 1:00:00 ago.")
        if len(made) != version.number - 1 or version.training_file_id in self._archived:
            raise CommitConflict("Another request was faster.")
        if self.version_of_request(version.request_id):
            raise CommitConflict("The request has made its version already.")
        kept = [
            member
            for member in (self.members(made[-1]) if made else ())
            if member.conversation_id not in composition.ended
        ]
        self._members[version.training_file_id, version.number] = sorted(
            [*kept, *composition.begun], key=lambda member: member.position
        )
        made.append(version)
        self.after_commit(composition)

    def current(self, name: str) -> VersionRecord | None:
        made = self._versions.get(name_key(name), [])
        return made[-1] if made else None

    @property
    def recorded(self) -> list[VersionRecord]:
        return [version for made in self._versions.values() for version in made]

    def version_of_request(self, request_id: str) -> VersionRecord | None:
        return next((each for each in self.recorded if each.request_id == request_id), None)

    def members(self, version: VersionRecord) -> list[Member]:
        return self._members[version.training_file_id, version.number]

    def archive(self, version: VersionRecord) -> None:
        self._archived.add(version.training_file_id)


class MemoryStore:
    """As much of an object store as the commit loop uses."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def compose(self, key: str, segments: Sequence[Segment], *, content_type: str) -> int:  # noqa: ARG002
        self.objects[key] = b"".join(
            segment
            if isinstance(segment, bytes)
            else self._object(segment.key)[segment.start : segment.end]
            for segment in segments
        )
        return len(self.objects[key])

    def state(self, key: str) -> ObjectState:
        data = self._object(key)
        return ObjectState(len(data), sha256(data), NOW)

    def chunks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        yield self._object(key)[start:end]

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def _object(self, key: str) -> bytes:
        if key not in self.objects:
            raise ObjectMissing(f"There is no object {key}.")
        return self.objects[key]
