"""`console`, `console-user`: run the console, a separate program (`python -m console`).

Both replace this process, so that Ctrl+C, the pid and the exit code are the console's.
"""

import os
import subprocess
import sys
from typing import Annotated, NoReturn

import typer

from trainfold.cli.ready import ready

# -P keeps a folder `console` in the current directory from shadowing ours.
CONSOLE = (sys.executable, "-P", "-m", "console")


def console(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: a free one.")] = None,
) -> None:
    """Serve the console in the foreground, until Ctrl+C; off loopback it requires sign-in.

    `trainfold up` starts one in the background. Settings: docs/console.md.
    """
    values = {"--host": host, "--port": port}
    options = [f"{name}={value}" for name, value in values.items() if value is not None]
    # An unprotected console is refused before any service is started.
    checked = subprocess.run([*CONSOLE, "check", *options], check=False)
    if checked.returncode:
        raise typer.Exit(checked.returncode)
    ready("database", "s3", "prefect", worker=True)
    _become_console("serve", *options)


def console_user(name: Annotated[str, typer.Argument(help="The user's name.")]) -> None:
    """Ask for a password and print the user's line for the console's users file."""
    _become_console("user", "--", name)


def _become_console(*arguments: str) -> NoReturn:
    os.execve(sys.executable, [*CONSOLE, *arguments], os.environ)  # noqa: S606 - no shell is needed
