"""Records of a version, of its two stored objects, and of the conversations in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from domain.findings import VersionWarning
from domain.format import Format
from domain.format.fragment import Contribution
from domain.format.spans import Span
from domain.frozen import FrozenModel
from domain.statistics import VersionStatistics


class StoredObject(FrozenModel):
    """One of a version's two objects. Sizes and places are in bytes."""

    key: str
    size_bytes: int
    digest: str
    """The hash chain over the fragments in it (`domain.format.digest`)."""
    content_start: int
    content_end: int

    @property
    def content(self) -> Span:
        """Return the range of the conversations or the example lines alone."""
        return Span(self.key, self.content_start, self.content_end)


class BaseVersion(FrozenModel):
    """The fields of a version from which the next one is composed."""

    training_file_id: UUID
    training_file: str
    training_file_created_at: datetime
    consultant_profile: dict[str, Any]
    number: int
    statistics: VersionStatistics
    full: StoredObject
    lines: StoredObject


class Tag(FrozenModel):
    """A name for a version of one training file."""

    name: str
    is_protected: bool


class VersionRecord(BaseVersion):
    """A committed version, with the training file's name and creation, and its tags of now."""

    file_name: str
    """The training file's name when the version was made, as its objects have it."""
    request_id: str
    request_digest: str
    reason: str
    created_at: datetime
    created_by: str
    conversation_count: int
    pair_count: int
    example_count: int
    warnings: tuple[VersionWarning, ...]
    comment: str = ""
    """Why it was made, in the words of who asked for it."""
    restores: int | None = None
    """The version whose content a rollback brought back."""
    tags: tuple[Tag, ...] = ()
    released_at: datetime | None = None
    """Since when its objects may be gone."""

    def stored(self, format: Format) -> StoredObject:
        return self.full if format == "json" else self.lines


class Footprints(NamedTuple):
    """All members of a version in its order, as columns: where their bytes are, and digests.

    20,000 objects make Python's collector go through everything that the process has imported, at
    0.15 s of CPU; columns of text and numbers do not.
    """

    conversation_ids: Sequence[str]
    json_lengths: Sequence[int]
    json_digests: Sequence[str]
    jsonl_lengths: Sequence[int]
    jsonl_digests: Sequence[str]


class Member(Contribution):
    """A conversation in a version, at its place in the order.

    Positions only order: those of one version are unique, and may have gaps.
    """

    position: int
    added_in: int
