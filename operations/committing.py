"""The commit loop: store both objects, record the version, and start again after a conflict.

Every use case that makes a version proposes a composition based on the state that it just read. The
loop writes the objects first and then moves one pointer in the database, so that a crash at any
point leaves the previous version current (invariant 11).
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Protocol, TypeVar

from domain.errors import (
    CommitConflict,
    CommitOutcomeUnknown,
    ObjectMissing,
    StoreRefused,
    TrainfoldError,
    Unreachable,
)
from domain.format import CONTENT_TYPES, Format
from domain.format.spans import Document
from domain.versions.composing import Composition
from domain.versions.record import StoredObject, VersionRecord
from domain.versions.verification import check
from storage.store import ObjectStore

MAX_ATTEMPTS = 100
MAX_TIME = timedelta(hours=1)
MAX_PAUSE_SECONDS = 5.0
PATIENCE_SECONDS = 60
"""How long the database may be unreachable after an unknown outcome."""

T = TypeVar("T")


class VersionLog(Protocol):
    """Records versions: in PostgreSQL (`db.commit`), or in memory in tests of the loop."""

    def current_time(self) -> datetime:
        """Read the log's clock; raise Unreachable if the log is unreachable."""

    def commit(self, composition: Composition) -> None:
        """Record the version and its members and make it current, or change nothing.

        Raises CommitConflict if another request was faster (it moved, archived or created the
        training file, or is this same request), DatabaseRefused for any other constraint,
        CommitOutcomeUnknown if the connection was lost during the commit.
        """


def commit_version(
    log: VersionLog,
    store: ObjectStore,
    propose: Callable[[], Composition | T],
    *,
    read_back: bool = False,
) -> Composition | T:
    """Commit the composition of `propose`; return it, or what `propose` returns instead of one.

    `propose` is called again, to read the current state, whenever another request was faster or the
    outcome of a commit is unknown; its earlier proposal is void (invariant 4). It returns something
    else when there is nothing left to commit. With `read_back`, both objects are read and checked
    before the commit.

    Raises what `propose` raises, Unreachable and AccessRefused of the store, DatabaseRefused,
    CommitConflict after a hundred attempts or an hour, and CommitOutcomeUnknown if the database
    stays unreachable after the connection was lost during the commit.
    """
    give_up = time.monotonic() + MAX_TIME.total_seconds()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        composition = propose()
        if not isinstance(composition, Composition):
            return composition
        store_objects(store, composition)
        try:
            if read_back:
                _read_back(store, composition)
            _look_again(store, composition.version)
            log.commit(composition)
        except CommitOutcomeUnknown as unknown:
            # The objects are kept: the database may still be executing the commit.
            _await(log, unknown)
        except CommitConflict as conflict:
            drop(store, composition.version)
            if attempt == MAX_ATTEMPTS or time.monotonic() > give_up:
                raise _overtaken(composition.version, attempt) from conflict
            pause(attempt)
        except TrainfoldError:
            drop(store, composition.version)
            raise
        else:
            return composition
    raise AssertionError  # the last attempt returns or raises


def store_objects(store: ObjectStore, composition: Composition) -> None:
    """Write both objects under keys that no other attempt uses; the version is not recorded yet.

    If the store refuses one of them, neither is left.
    """
    version = composition.version
    try:
        _write(store, version.full, composition.full, "json")
        _write(store, version.lines, composition.lines, "jsonl")
    except StoreRefused:
        drop(store, version)
        raise


def drop(store: ObjectStore, version: VersionRecord) -> None:
    """Delete the objects of a version that is certainly not recorded; errors leave garbage."""
    with suppress(TrainfoldError):
        store.delete(version.full.key)
        store.delete(version.lines.key)


def pause(attempt: int) -> None:
    """Wait for a random time, which grows from attempt to attempt."""
    time.sleep(random.uniform(0, min(0.05 * 2**attempt, MAX_PAUSE_SECONDS)))  # noqa: S311


def _write(store: ObjectStore, stored: StoredObject, document: Document, format: Format) -> None:
    size = store.compose(stored.key, document.segments, content_type=CONTENT_TYPES[format])
    if size != stored.size_bytes:
        raise Unreachable(
            f"The object store holds {size:,} bytes at {stored.key} where {stored.size_bytes:,} "
            "were sent. No version was recorded; `trainfold maintain` removes the object."
        )


def _look_again(store: ObjectStore, version: VersionRecord) -> None:
    """Check that both objects are there, whole, at the last moment before they are recorded.

    Whatever the clocks of the store and the database say, a version is not committed on objects
    that maintenance, a lifecycle rule or a person removed. Raises Unreachable: trying again helps.
    """
    for stored in (version.full, version.lines):
        try:
            size = store.state(stored.key).size_bytes
        except ObjectMissing:
            size = None
        if size != stored.size_bytes:
            what = "was removed" if size is None else f"became {size:,} bytes"
            raise Unreachable(
                f"{stored.key} {what} before its version could be recorded. Nothing was recorded, "
                "and what was left of it was removed. Find out who removes or writes objects in "
                "the bucket, then run the same request again."
            )


def _read_back(store: ObjectStore, composition: Composition) -> None:
    """Check both objects, which are composed of many ranges, before they become a version.

    Raises Unreachable, as a retry may help.
    """
    version = composition.version
    full, lines = store.chunks(version.full.key), store.chunks(version.lines.key)
    finding = next(check(version, composition.placed, full=full, lines=lines), None)
    if finding is not None:
        raise Unreachable(
            f"The objects written for “{version.training_file}” differ from the composed version "
            f"({finding}). No version was recorded. If `trainfold verify` says that the current "
            "version is damaged in the store, `trainfold rebuild --whole` replaces all of it."
        )


def _await(log: VersionLog, unknown: CommitOutcomeUnknown) -> None:
    """Wait until the database answers again; then a look-up of the request id decides."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    for attempt in count(1):
        try:
            log.current_time()
        except Unreachable:
            if time.monotonic() > give_up:
                raise unknown from None
            pause(attempt)
        else:
            return


def _overtaken(version: VersionRecord, attempts: int) -> CommitConflict:
    return CommitConflict(
        f"Other requests on “{version.training_file}” were faster {attempts} times in a row. "
        "Nothing was recorded for this one, and its objects were removed. Run the same request "
        "again when less is going on."
    )
