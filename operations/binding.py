"""Which database a bucket of training files belongs to: a marker object in the bucket says so.

Two databases in one bucket would take each other's objects for garbage.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Engine

from db.engine import current_time, reading
from db.installation import installation_id
from db.versions import newest_keys
from domain.errors import NotReady, ObjectMissing, ObjectTooLarge
from domain.frozen import FrozenModel
from domain.versions.naming import INSTALLATION_KEY
from storage.store import ObjectStore

MAX_MARKER_BYTES = 10_000


class Binding(FrozenModel):
    """What the marker object says."""

    installation: UUID
    bound_at: datetime


def require_bound(engine: Engine, store: ObjectStore, *, even_if_empty: bool = False) -> None:
    """Raise NotReady unless the bucket is this database's; bind a bucket that is nobody's yet.

    A bucket without a marker and without the newest versions' objects is bound only
    `even_if_empty`: it may be the wrong bucket, or a wrong address.
    """
    with reading(engine) as connection:
        own = installation_id(connection)
    binding = read_binding(store)
    if binding is None:
        with reading(engine) as connection:
            keys, now = newest_keys(connection), current_time(connection)
        if keys and not even_if_empty:
            _refuse_wrong_bucket(store, keys)
        binding = _bind(store, Binding(installation=own, bound_at=now))
    _require_own(binding, own, store)


def own_binding(engine: Engine, store: ObjectStore) -> Binding | None:
    """Return the bucket's binding to this database, None while it is nobody's; bind nothing.

    Raises NotReady for a bucket of another database, or not the one with this one's versions.
    """
    binding = read_binding(store)
    with reading(engine) as connection:
        own, keys = installation_id(connection), newest_keys(connection)
    if binding is not None:
        _require_own(binding, own, store)
    elif keys:
        _refuse_wrong_bucket(store, keys)
    return binding


def _require_own(binding: Binding, own: UUID, store: ObjectStore) -> None:
    if binding.installation != own:
        raise NotReady(
            f"The bucket “{store.bucket}” belongs to another trainfold database (installation "
            f"{binding.installation}, since {binding.bound_at:%Y-%m-%d %H:%M}); this one is "
            f"{own}. Nothing was changed. Name another bucket in "
            "TRAINFOLD_TRAINING_FILES_BUCKET. Only if the other database is gone for good: remove "
            f"{INSTALLATION_KEY} from the bucket and run `trainfold migrate`."
        )


def _bind(store: ObjectStore, binding: Binding) -> Binding:
    """Write the marker and return the one that is there then: another process may be faster."""
    data = binding.model_dump_json().encode()
    store.put(INSTALLATION_KEY, data, content_type="application/json", if_absent=True)
    return read_binding(store) or binding


def read_binding(store: ObjectStore) -> Binding | None:
    """Return what the bucket's marker says; None if it has none."""
    store.require()
    try:
        return Binding.model_validate_json(store.get(INSTALLATION_KEY, max_bytes=MAX_MARKER_BYTES))
    except ObjectMissing:
        return None
    except (ValidationError, ObjectTooLarge) as error:
        raise NotReady(
            f"{INSTALLATION_KEY} in the bucket “{store.bucket}” is not what trainfold wrote. "
            "Nothing was changed. Restore the object from a backup, or remove it and run "
            "`trainfold migrate`."
        ) from error


def _refuse_wrong_bucket(store: ObjectStore, keys: Sequence[str]) -> None:
    """Raise NotReady unless the store has one of these objects."""
    if any(_is_there(store, key) for key in keys):
        return
    raise NotReady(
        f"The bucket “{store.bucket}” is not the one that holds this database's versions: it has "
        f"neither {INSTALLATION_KEY} nor any object of the newest versions. Nothing was changed. "
        "Check TRAINFOLD_TRAINING_FILES_BUCKET, the path of TRAINFOLD_S3_ENDPOINT_URL "
        "(Supabase's ends in /storage/v1/s3) and TRAINFOLD_S3_REGION. If the objects are lost, "
        "restore them from a backup, or take the bucket as it is with `trainfold migrate --bind`."
    )


def _is_there(store: ObjectStore, key: str) -> bool:
    try:
        store.size(key)
    except ObjectMissing:
        return False
    return True
