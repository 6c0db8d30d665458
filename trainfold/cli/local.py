"""`up`, `down`, `status`, `password`: start, stop and describe the local stack."""

import os

from domain.errors import NotReady
from operations import resources
from operations.settings import home_directory, is_configured
from trainfold.cli.doctor import say_failures
from trainfold.cli.output import Json, print_table, say, show
from trainfold.cli.ready import ready
from trainfold.stack import Service, ServiceStatus, Stack

HINT = "Prefect's UI asks for a password once; `trainfold password` prints it."


def up(json: Json = False) -> None:
    """Start the local stack: PostgreSQL, S3, Prefect, a worker and the console."""
    ready("database", "s3", "prefect", worker=True, console=True)
    _show()
    say_failures()


def down() -> None:
    """Stop the local stack, and keep its data."""
    stopped: list[str] = []
    Stack(home_directory()).down(say=stopped.append)
    say("\n".join(stopped) or f"No service of {home_directory()} was running.")


def status(json: Json = False) -> None:
    """Show which services of the local stack run, their addresses and their logs."""
    _show()


def password() -> None:
    """Print the user:password that Prefect's UI and API require."""
    configured = resources.settings().prefect_auth
    # Prefect's own variable goes with PREFECT_API_URL, which names a server of one's own.
    own = os.environ.get("PREFECT_API_AUTH_STRING") if is_configured("prefect") else None
    auth = configured.get_secret_value() if configured else own
    if auth is None:
        raise NotReady(
            "No password of a Prefect server is known. Run `trainfold up` for the local stack's, "
            "or set TRAINFOLD_PREFECT_AUTH."
        )
    print(auth)


def _show() -> None:
    services = Stack(home_directory()).status()
    document = {
        "home": str(home_directory()),
        "services": [
            {
                "service": status.service,
                "running": status.running,
                "address": status.address,
                "pid": status.pid,
                "log": str(status.log),
            }
            for status in services
        ],
    }
    show(document, lambda: _print(services))


def _print(services: list[ServiceStatus]) -> None:
    say(f"Home: {home_directory()}")
    print_table(
        ["service", "state", "address", "#pid", "log"],
        (
            (s.service.label, "running" if s.running else "stopped", s.address, s.pid, s.log)
            for s in services
        ),
        empty="",
    )
    if any(s.running for s in services if s.service is Service.PREFECT):
        say(HINT)
