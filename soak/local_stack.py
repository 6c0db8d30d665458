"""Run PostgreSQL and S3 in a temporary home, as `trainfold up` starts them."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from db import migrate
from operations.binding import require_bound
from operations.settings import Settings
from soak.services import Services
from trainfold.stack import Service, Stack, prefect_environment

SERVICES = (Service.POSTGRES, Service.S3)


@contextmanager
def local_services(*, with_prefect: bool = False) -> Iterator[Services]:
    """Start the services, migrated and with both buckets; stop and remove them at the end."""
    for name in [name for name in os.environ if name.startswith(("TRAINFOLD_", "PREFECT_"))]:
        del os.environ[name]
    # As root, PostgreSQL runs as another user, who must be able to enter.
    home = Path(tempfile.mkdtemp(prefix="trainfold-soak-"))
    home.chmod(0o711)
    os.environ["TRAINFOLD_HOME"] = str(home)
    stack = Stack(home)
    try:
        stack.up((*SERVICES, Service.PREFECT) if with_prefect else SERVICES, say=say)
        settings = Settings()
        if settings.prefect_api_url:
            # Of the processes of flows, which are started from here.
            auth = settings.prefect_auth
            os.environ |= prefect_environment(
                home, settings.prefect_api_url, auth=auth.get_secret_value() if auth else None
            )
        services = Services.of(settings)
        prepare(services)
        yield services
    finally:
        stack.down(say=say)
        shutil.rmtree(home, ignore_errors=True)


def prepare(services: Services) -> None:
    """Migrate the database, create the buckets and bind the training files' bucket."""
    engine = services.engine()
    migrate.upgrade(engine)
    sources, files = services.stores()
    sources.create_bucket()
    files.create_bucket()
    require_bound(engine, files)
    engine.dispose()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - standard output is the report's
