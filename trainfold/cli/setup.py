"""`migrate`, `deploy`: prepare a new or upgraded database, object store and Prefect server."""

import os
from typing import Annotated

import typer

from db import migrate as schema
from operations import resources
from operations.binding import require_bound
from operations.doctor.database import require_migratable
from trainfold.cli import prefect
from trainfold.cli.doctor import say_failures
from trainfold.cli.output import Json, show, stdout
from trainfold.cli.ready import ready
from trainfold.prefect_http.registration import WORK_POOL, register


def migrate(
    bind: Annotated[
        bool,
        typer.Option(
            "--bind", help="Bind the bucket of training files though it holds no version."
        ),
    ] = False,
) -> None:
    """Bring the database to this version's schema, and create the buckets that are missing.

    The bucket of training files is bound to this database. Running it again changes nothing.
    """
    ready("database", "s3")
    require_migratable(resources.engine())
    schema.upgrade(resources.engine())
    for store in (resources.conversations_store(), resources.training_files_store()):
        store.create_bucket()
    require_bound(resources.engine(), resources.training_files_store(), even_if_empty=bind)
    stdout.print("The schema is up to date, and both buckets exist.")
    say_failures()


def deploy(json: Json = False) -> None:
    """Register the deployments, the work pool and the automations with the Prefect server.

    `up` does this for the local stack; run it on a server of your own after each new release.
    """
    ready("prefect")
    scheduled_rebuild = resources.settings().scheduled_rebuild
    names = register(prefect.api(), environment=os.environ, scheduled_rebuild=scheduled_rebuild)
    document = {
        "deployments": names,
        "work_pool": WORK_POOL,
        "scheduled_rebuild": scheduled_rebuild,
    }
    text = f"Registered in work pool {WORK_POOL}: {', '.join(names)}"
    show(document, lambda: stdout.print(text))
