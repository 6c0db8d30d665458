"""Which installation a process works on: what a worker answers when it is asked."""

from uuid import UUID

from sqlalchemy import Engine

from db.engine import reading
from db.installation import installation_id
from domain.frozen import FrozenModel
from operations.binding import read_binding
from storage.store import ObjectStore


class Identity(FrozenModel):
    """Names and ids, never an address or a credential: hosts differ from network to network."""

    installation: UUID
    """The database's own id."""
    bucket_installation: UUID | None
    """The database that the bucket of training files belongs to; None if it is nobody's yet."""
    conversations_bucket: str
    training_files_bucket: str


def read_identity(
    engine: Engine, conversations: ObjectStore, training_files: ObjectStore
) -> Identity:
    """Read who this process works for; raise what the database or the store raises."""
    with reading(engine) as connection:
        own = installation_id(connection)
    binding = read_binding(training_files)
    return Identity(
        installation=own,
        bucket_installation=binding.installation if binding else None,
        conversations_bucket=conversations.bucket,
        training_files_bucket=training_files.bucket,
    )
