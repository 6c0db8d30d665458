"""Get the services that a command needs ready: start those that are not configured."""

import os
from collections.abc import Sequence
from typing import Literal

from db.engine import reading
from db.revision import is_up_to_date
from domain.errors import Unreachable
from operations import resources
from operations.settings import ServiceName, Settings, home_directory, is_configured
from trainfold.cli.output import say

LocalName = ServiceName | Literal["worker", "console"]


def ready(*services: ServiceName, worker: bool = False, console: bool = False) -> None:
    """Start those of the services that are not configured, and create their schema and buckets.

    A worker is started only with the local stack's Prefect; another server has its own workers.
    """
    local = [service for service in services if not is_configured(service)]
    if local:
        _start(local)
        resources.forget()
    if "database" in local:
        _bring_up_to_date()
    if "s3" in local:
        resources.conversations_store().create_bucket()
        resources.training_files_store().create_bucket()
    if worker and "prefect" in local:
        _start(["worker"])
    if console:
        _start(["console"])
    if "prefect" in services:
        point_prefect_to_its_server()
        _require_prefect()


def _start(names: Sequence[LocalName]) -> None:
    """Start those that do not run. A command whose services are configured imports no stack."""
    from trainfold.stack import SERVICES_BY_NAME, Options, Stack  # noqa: PLC0415

    settings = Settings()
    auth = settings.prefect_auth
    options = Options(
        prefect_host=settings.prefect_host,
        prefect_auth=auth.get_secret_value() if auth else None,
        scheduled_rebuild=settings.scheduled_rebuild,
    )
    Stack(home_directory(), options).up([SERVICES_BY_NAME[name] for name in names], say=say)


def _bring_up_to_date() -> None:
    with reading(resources.engine()) as connection:
        if is_up_to_date(connection):
            return
    from db import migrate  # noqa: PLC0415 - imports Alembic

    migrate.upgrade(resources.engine())


def _require_prefect() -> None:
    """Raise Unreachable unless the Prefect server answers, AccessRefused if it denies access."""
    from trainfold.cli import prefect  # noqa: PLC0415 - imports httpx

    try:
        prefect.api().get("/admin/version")
    except Unreachable as error:
        raise Unreachable(
            f"{error} Start it, or unset PREFECT_API_URL to use the local stack's."
        ) from error


def point_prefect_to_its_server() -> None:
    """Set Prefect's variables, which it reads when it is imported."""
    from trainfold.stack import prefect_environment  # noqa: PLC0415

    settings = resources.settings()
    url = os.environ.get("PREFECT_API_URL") or settings.prefect_api_url or ""
    auth = settings.prefect_auth.get_secret_value() if settings.prefect_auth else None
    variables = prefect_environment(home_directory(), url, auth=auth)
    # Prefect would print every task run and, for a refusal, a stack trace; the server has them.
    variables["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    for name, value in variables.items():
        os.environ.setdefault(name, value)
    if auth and not is_configured("prefect"):
        # One that the user has for another server is not the local stack's.
        os.environ["PREFECT_API_AUTH_STRING"] = auth
