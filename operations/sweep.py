"""Find and remove objects that no version refers to."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine

from db.engine import current_time, reading
from db.versions import referenced_keys
from domain.versions.garbage import is_garbage
from storage.store import ObjectStore


class Swept(BaseModel):
    """The garbage that was found, and removed unless it was only listed."""

    model_config = ConfigDict(frozen=True)

    objects: tuple[str, ...]
    size_bytes: int
    uploads: int
    removed: bool


def sweep_store(engine: Engine, store: ObjectStore, *, safe_age: timedelta, delete: bool) -> Swept:
    """List the garbage, and remove it if asked to."""
    # Objects before versions: what is committed in between is then seen as referenced.
    listed = list(store.listed())
    with reading(engine) as connection:
        now = current_time(connection)
        referenced = referenced_keys(connection)
    garbage = [
        item
        for item in listed
        if is_garbage(item.key, item.modified, referenced=referenced, now=now, safe_age=safe_age)
    ]
    if delete:
        for item in garbage:
            store.delete(item.key)
    return Swept(
        objects=tuple(item.key for item in garbage),
        size_bytes=sum(item.size_bytes for item in garbage),
        uploads=store.abort_uploads(before=now - safe_age) if delete else 0,
        removed=delete,
    )
