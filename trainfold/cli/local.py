"""`up`, `down`, `status`, `open`, `password`: start, stop, describe and open the local stack."""

import os
import webbrowser
from html import escape
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import NotReady
from operations import resources
from operations.settings import home_directory, is_configured
from trainfold.cli.doctor import say_failures
from trainfold.cli.output import Json, print_table, say, show
from trainfold.cli.ready import ready
from trainfold.stack import Service, ServiceStatus, Stack
from trainfold.stack.console import console_link
from trainfold.stack.home import write_private

HINT = "Prefect's UI asks for a password once; `trainfold password` prints it."


def up(json: Json = False) -> None:
    """Start the local stack: PostgreSQL, S3, Prefect, a worker and the console."""
    ready("database", "s3", "prefect", worker=True, console=True)
    _show()
    say("Open the console: trainfold open")
    say_failures()


def down() -> None:
    """Stop the local stack, and keep its data."""
    stopped: list[str] = []
    Stack(home_directory()).down(say=stopped.append)
    say("\n".join(stopped) or f"No service of {home_directory()} was running.")


def status(json: Json = False) -> None:
    """Show which services of the local stack run, their addresses and their logs."""
    _show()


def open_console(
    printed: Annotated[
        bool, typer.Option("--print", help="Print the link, and open no browser.")
    ] = False,
) -> None:
    """Open the local stack's console in a browser; the link has the key that lets you in."""
    home = home_directory()
    (console,) = (s for s in Stack(home).status() if s.service is Service.CONSOLE)
    if not console.running or console.address is None:
        raise NotReady("The local stack's console does not run. `trainfold up` starts it.")
    link = console_link(home, console.address)
    if printed or not webbrowser.open(_private_page(link).as_uri()):
        print(link)


def _private_page(link: str) -> Path:
    """Write a page that goes to the link: a browser's command line is seen by other users."""
    page = home_directory() / "open-console.html"
    page_text = f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(link)}">'
    write_private(page, page_text.encode())
    return page


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
