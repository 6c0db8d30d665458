"""What must hold before any work: the schema is current, the buckets can be used."""

from sqlalchemy import Engine

from db import migrate
from storage.store import ObjectStore


def check(engine: Engine, *stores: ObjectStore) -> None:
    """Raise in words an operator understands: NotReady, AccessRefused or Unreachable."""
    migrate.require_current(engine)
    for store in stores:
        store.require()
