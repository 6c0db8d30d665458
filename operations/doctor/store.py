"""The object store: both buckets there and private, and able to do what versions need of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from time import sleep

from sqlalchemy import Engine

from db.engine import current_time, reading
from db.versions import training_file_ids
from domain.diagnosis import Check, Outcome, failed, passed, warning
from domain.errors import AccessRefused, NotReady, TrainfoldError, Unreachable
from domain.format import CONTENT_TYPES, FORMATS
from domain.versions.naming import INSTALLATION_KEY, training_file_of
from operations.binding import own_binding
from operations.clocks import require_same_time
from operations.doctor.attempt import attempt
from storage.probe import (
    LEFT_OVER_AFTER,
    PREFIX,
    copies_ranges,
    open_address,
    probe_key,
    status_of_link,
)
from storage.s3 import S3Store
from storage.store import ObjectStore

LINK_LIFETIME = timedelta(seconds=2)
CONTENT = b'{"probe": "trainfold doctor writes and removes this"}'


class StoreFault(StrEnum):
    NOT_READY = "store-not-ready"
    REFUSED = "store-refused"
    UNREACHABLE = "store-unreachable"
    PUBLIC = "bucket-public"
    WRITE_REFUSED = "write-refused"
    NO_RANGE_COPY = "no-range-copy"
    LINK_FAILS = "link-fails"
    LINK_STAYS_OPEN = "link-stays-open"
    BOUND_ELSEWHERE = "bucket-of-another-database"
    CLOCK_DIFFERS = "clock-differs"


Fault = StoreFault
_CODES: dict[type[TrainfoldError], StrEnum] = {
    NotReady: Fault.NOT_READY,
    AccessRefused: Fault.REFUSED,
    Unreachable: Fault.UNREACHABLE,
}


def check_store(conversations: ObjectStore, training_files: ObjectStore) -> list[Check]:
    """Check what needs no database. The conversations' bucket is only read."""
    checks = [
        _bucket("store.conversations", conversations),
        _bucket("store.training-files", training_files),
    ]
    if checks[0].outcome is Outcome.OK:
        checks.append(_privacy_of_conversations(conversations))
    if checks[1].outcome is Outcome.OK:
        checks += _probed(training_files)
    return checks


def check_store_with_database(engine: Engine, training_files: ObjectStore) -> list[Check]:
    """Check what the store and the database have to agree on."""
    return [_binding(engine, training_files), _clocks(engine, training_files)]


def _bucket(name: str, store: ObjectStore) -> Check:
    def probe() -> Check:
        store.require()
        return passed(name, f"the bucket “{store.bucket}” is there and admits these credentials")

    return attempt(name, probe, _CODES, otherwise=Fault.REFUSED)


def _privacy_of_conversations(store: ObjectStore) -> Check:
    name = "store.conversations-private"

    def probe() -> Check:
        first = next(iter(store.listed()), None)
        return _privacy(name, store, first.key if first else "no-object")

    return attempt(name, probe, _CODES, otherwise=Fault.REFUSED)


def _privacy(name: str, store: ObjectStore, key: str) -> Check:
    address = open_address(store, key)
    if address is not None:
        place = address.partition("?")[0]
        return failed(
            name,
            Fault.PUBLIC,
            f"Anyone can read the bucket “{store.bucket}” without a password, at {place}. Nothing "
            "was changed. Make the bucket private; links that trainfold signs go on working.",
        )
    return passed(name, f"the bucket “{store.bucket}” answers nobody without a signature")


def _probed(store: ObjectStore) -> Iterator[Check]:
    with probe_key(store) as key, probe_key(store) as copied:
        written = [_writing(store, key, CONTENT_TYPES[format]) for format in FORMATS]
        yield from written
        if any(check.outcome is Outcome.FAILED for check in written):
            return
        yield _guarded("store.private", lambda: _privacy("store.private", store, key))
        if isinstance(store, S3Store):
            yield _guarded("store.copy", lambda: _copying(store, key, copied))
        yield _guarded("store.links", lambda: _links(store, key))


def _guarded(name: str, probe: Callable[[], Check]) -> Check:
    return attempt(name, probe, _CODES, otherwise=Fault.REFUSED)


def _writing(store: ObjectStore, key: str, content_type: str) -> Check:
    name = f"store.writes-{content_type.partition('/')[2]}"

    def probe() -> Check:
        store.put(key, CONTENT, content_type=content_type)
        if store.get(key, max_bytes=len(CONTENT)) != CONTENT:
            raise Unreachable(f"{store.bucket}/{key} came back changed.")
        return passed(
            name,
            f"the bucket “{store.bucket}” takes {content_type} and gives it back unchanged; how "
            "large an object may be cannot be asked of S3",
        )

    return attempt(name, probe, _CODES, otherwise=Fault.WRITE_REFUSED)


def _copying(store: S3Store, key: str, copied: str) -> Check:
    name = "store.copy"
    if copies_ranges(store, key, copied):
        return passed(name, "the store copies ranges, so an add costs what it adds")
    return warning(
        name,
        Fault.NO_RANGE_COPY,
        "The store does not copy ranges of objects (UploadPartCopy). Everything works: what a file "
        "holds is sent again at every add, so adds to large files take longer.",
    )


def _links(store: ObjectStore, key: str) -> Check:
    name = "store.links"
    link = store.download_link(key, file_name="probe.json", lifetime=LINK_LIFETIME)
    status = status_of_link(link)
    if status != HTTPStatus.OK:
        return failed(
            name,
            Fault.LINK_FAILS,
            f"A signed link is answered with {status}. Nothing was changed. Check "
            "TRAINFOLD_S3_ENDPOINT_URL (a browser must reach it under that name), "
            "TRAINFOLD_S3_REGION, and the clocks of this machine and of the store.",
        )
    sleep(LINK_LIFETIME.total_seconds() + 1)
    if status_of_link(link) == HTTPStatus.OK:
        return failed(
            name,
            Fault.LINK_STAYS_OPEN,
            "A signed link works after its time. Nothing was changed. Whoever has a link keeps "
            "access: check the store's clock, and whether a cache answers instead of it.",
        )
    return passed(name, "a signed link opens, and expires")


def _binding(engine: Engine, store: ObjectStore) -> Check:
    name = "store.binding"

    def probe() -> Check:
        foreign = _count_foreign(engine, store)
        others = f"; {foreign:,} objects of others are left alone" if foreign else ""
        if own_binding(engine, store) is None:
            return passed(name, f"the bucket “{store.bucket}” is nobody's yet{others}")
        return passed(name, f"the bucket “{store.bucket}” belongs to this database{others}")

    return attempt(
        name, probe, {**_CODES, NotReady: Fault.BOUND_ELSEWHERE}, otherwise=Fault.REFUSED
    )


def _count_foreign(engine: Engine, store: ObjectStore) -> int:
    """Count objects that are not trainfold's; remove what a killed probe has left."""
    with reading(engine) as connection:
        own = training_file_ids(connection)
    foreign = 0
    for item in store.listed():
        if item.key.startswith(PREFIX):
            if datetime.now(UTC) - item.modified > LEFT_OVER_AFTER:
                store.delete(item.key)
        elif item.key != INSTALLATION_KEY and training_file_of(item.key) not in own:
            foreign += 1
    return foreign


def _clocks(engine: Engine, store: ObjectStore) -> Check:
    name = "store.clocks"

    def probe() -> Check:
        with reading(engine) as connection:
            database = current_time(connection)
        clocks = {"database": database, "object store": store.current_time()}
        difference = require_same_time({**clocks, "machine that runs this": now()})
        return passed(
            name, f"database, store and this machine agree to {difference.total_seconds():.0f} s"
        )

    return attempt(name, probe, {**_CODES, NotReady: Fault.CLOCK_DIFFERS}, otherwise=Fault.REFUSED)


def now() -> datetime:
    """Read this machine's clock."""
    return datetime.now(UTC)
