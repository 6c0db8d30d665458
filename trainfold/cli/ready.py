"""Get what a command needs ready: start the local stack's part that is not configured."""

import os

import httpx

from db import migrate
from domain.errors import Unreachable
from tasks import resources
from trainfold.cli.output import say
from trainfold.settings import Service, home_directory, is_configured
from trainfold.stack import Service as LocalService
from trainfold.stack import Stack, prefect_environment

LOCAL: dict[Service, LocalService] = {
    "database": LocalService.POSTGRES,
    "s3": LocalService.S3,
    "prefect": LocalService.PREFECT,
}


def ready(*services: Service) -> None:
    """Start these services where none is configured, and set up what a new one lacks."""
    local = [service for service in services if not is_configured(service)]
    if local:
        Stack(home_directory()).up([LOCAL[service] for service in local], say=say)
        resources.forget()
    if "database" in local:
        migrate.upgrade(resources.engine())
    if "s3" in local:
        resources.conversations_store().create_bucket()
        resources.training_files_store().create_bucket()
    if "prefect" in services:
        _point_prefect_to_its_server()
        _require_prefect()


def _require_prefect() -> None:
    """Raise Unreachable unless the Prefect server answers."""
    url = os.environ["PREFECT_API_URL"]
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=10)
    except httpx.HTTPError as error:
        raise Unreachable(
            f"The Prefect server at {url} does not answer ({type(error).__name__}). Nothing was "
            "submitted. Start it, or unset PREFECT_API_URL to use the local stack's."
        ) from error


def _point_prefect_to_its_server() -> None:
    """Prefect reads its settings from the environment when it is imported, so this comes first."""
    url = os.environ.get("PREFECT_API_URL") or resources.settings().prefect_api_url or ""
    variables = prefect_environment(home_directory(), url)
    # Prefect would print every task run and, for a refusal, a stack trace; the server has them.
    variables["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    for name, value in variables.items():
        os.environ.setdefault(name, value)
