"""`console`, `console-user`: the pages for people who curate."""

import sys
from typing import Annotated

import typer

from trainfold.cli.output import say, stdout
from trainfold.cli.ready import ready


def console(
    host: Annotated[str | None, typer.Option(help="Where to listen. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: a free one.")] = None,
) -> None:
    """Serve the console here, until Ctrl+C. On loopback it needs no password, elsewhere it does.

    `trainfold up` starts one in the background. Settings: docs/console.md.
    """
    from console.server import ConsoleServer  # noqa: PLC0415 - only this command needs the web server
    from console.settings import ConsoleSettings  # noqa: PLC0415

    given = {"host": host, "port": port}
    asked = ConsoleSettings().model_copy(update={k: v for k, v in given.items() if v is not None})
    asked.require_authentication()
    ready("database", "s3", "prefect", worker=True)
    server = ConsoleServer(asked)
    say(f"The console is at {server.address}; Ctrl+C stops it.")
    server.run()


def console_user(name: Annotated[str, typer.Argument(help="The user's name.")]) -> None:
    """Ask for a password and print the user's line for the console's users file."""
    from console.security.passwords import MIN_LENGTH, hash_password  # noqa: PLC0415

    if not name.isprintable() or ":" in name or name.startswith("#") or name != name.strip():
        raise typer.BadParameter("a name has no colon and does not begin with #", param_hint="NAME")
    password = _password()
    if len(password) < MIN_LENGTH:
        raise typer.BadParameter(f"a password has at least {MIN_LENGTH} characters")
    stdout.print(f"{name}:{hash_password(password)}", markup=False, highlight=False, soft_wrap=True)


def _password() -> str:
    if sys.stdin.isatty():
        answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return answer
    return sys.stdin.readline().rstrip("\n")
