"""Find and remove objects that no version needs: of crashes, releases and deleted files."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from db.engine import current_time, reading, writing
from db.leftovers import leftover_digests, remove_leftovers
from db.versions import referenced_keys, training_file_ids
from domain.counting import counted
from domain.errors import NotReady
from domain.frozen import FrozenModel
from domain.versions.garbage import GarbageRule, Standing
from domain.versions.naming import INSTALLATION_KEY
from operations.binding import require_bound
from operations.clocks import require_same_time
from operations.release import Released, release_versions
from operations.settings import DELETED_FILE_GRACE
from storage.store import ListedObject, ObjectStore

MAX_FOREIGN_LISTED = 1_000


class Swept(FrozenModel):
    """The garbage that was found, and removed unless it was only listed."""

    objects: tuple[str, ...]
    size_bytes: int
    uploads: int
    """Unfinished multipart uploads."""
    removed: bool
    foreign: tuple[str, ...]
    """Objects that are not trainfold's, the first thousand; they are never touched."""
    foreign_count: int
    released: tuple[Released, ...] = ()
    """Versions that no retention policy keeps; their objects are among those above."""
    figures: int = 0
    """Conversations that are in no version any more, of which figures or likenesses were stored."""


def foreign_objects(number: int) -> str:
    """Say how many objects of the bucket are not trainfold's."""
    verbs = ("is", "was") if number == 1 else ("are", "were")
    return f"{counted(number, 'object')} {verbs[0]} not trainfold's and {verbs[1]} not touched"


def sweep_store(
    engine: Engine,
    store: ObjectStore,
    *,
    safe_age: timedelta,
    grace: timedelta = DELETED_FILE_GRACE,
    delete: bool,
) -> Swept:
    """List the garbage, and remove it if asked to; `grace` is that of deleted training files.

    What fitness reports and splits computed of conversations that are in no version goes as well.

    Versions that no policy keeps are released first. A crash after that leaves garbage.

    Raises NotReady for a bucket that is not this database's, and when the clocks of database and
    store differ: which object is old could not be told.
    """
    require_bound(engine, store)
    released = release_versions(engine, safe_age=safe_age, delete=delete)
    # Objects before versions: what is committed in between is then seen as referenced.
    listed, unfinished = list(store.listed()), list(store.uploads())
    with reading(engine) as connection:
        referenced = referenced_keys(connection, grace=grace)
        ids = training_file_ids(connection)
        now = current_time(connection)
    require_same_time({"database": now, "object store": store.current_time()})
    rule = GarbageRule(
        referenced=referenced.difference(*(version.keys for version in released)),
        training_file_ids=ids,
        bound_at=_bound_at(listed, store),
        now=now,
        safe_age=safe_age,
    )
    judged: dict[Standing, list[ListedObject]] = defaultdict(list)
    for item in listed:
        judged[rule.judge(item.key, item.modified)].append(item)
    # Completed late, an upload would overwrite the object that a version refers to.
    rule = replace(rule, referenced=())
    uploads = [each for each in unfinished if rule.judge(each.key, each.begun) is Standing.GARBAGE]
    if delete:
        for item in judged[Standing.GARBAGE]:
            store.delete(item.key)
        for upload in uploads:
            store.abort(upload)
    return Swept(
        objects=tuple(item.key for item in judged[Standing.GARBAGE]),
        size_bytes=sum(item.size_bytes for item in judged[Standing.GARBAGE]),
        uploads=len(uploads),
        removed=delete,
        foreign=tuple(item.key for item in judged[Standing.FOREIGN][:MAX_FOREIGN_LISTED]),
        foreign_count=len(judged[Standing.FOREIGN]),
        released=released,
        figures=_sweep_figures(engine, grace=grace, delete=delete),
    )


def _sweep_figures(engine: Engine, *, grace: timedelta, delete: bool) -> int:
    with reading(engine) as connection:
        digests = leftover_digests(connection, grace=grace)
    if delete:
        with writing(engine) as connection:
            remove_leftovers(connection, digests, grace=grace)
    return len(digests)


def _bound_at(listed: list[ListedObject], store: ObjectStore) -> datetime:
    """Return when the marker was written, by the clock that all objects are dated by."""
    for item in listed:
        if item.key == INSTALLATION_KEY:
            return item.modified
    raise NotReady(
        f"{INSTALLATION_KEY} has gone from the bucket “{store.bucket}” while it was listed. "
        "Nothing was removed. Run maintenance again."
    )
