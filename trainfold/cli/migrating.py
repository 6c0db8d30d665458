"""`migrate`: what a new or upgraded installation needs in its database and object store."""

from db import migrate as schema
from operations import resources
from trainfold.cli.output import stdout
from trainfold.cli.ready import ready


def migrate() -> None:
    """Bring the database to this version's schema, and make the buckets that are missing.

    Running it again changes nothing.
    """
    ready("database", "s3")
    schema.upgrade(resources.engine())
    for store in (resources.conversations_store(), resources.training_files_store()):
        store.create_bucket()
    stdout.print("The schema is current, and both buckets are there.")
