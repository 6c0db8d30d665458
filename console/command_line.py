"""The console's command line: `python -m console [serve | check | user]`."""

import sys
from typing import Annotated, Any

import typer

from console.security.identity import identity_for
from console.security.passwords import MIN_LENGTH, hash_password
from console.settings import ConsoleSettings
from domain.errors import TrainfoldError

app = typer.Typer(
    help="Serve trainfold's console: the pages for curators.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

Host = Annotated[str | None, typer.Option(help="Where to listen. Default: 127.0.0.1.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Default: a free one.")]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        serve()


@app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Serve the console until Ctrl+C; the default."""
    from console.server import ConsoleServer  # noqa: PLC0415 - the others need no web server

    server = ConsoleServer(_settings(host=host, port=port))
    typer.echo(f"The console is at {server.link}; Ctrl+C stops it.", err=True)
    server.run()


@app.command()
def check(host: Host = None, port: Port = None) -> None:
    """Check that `serve` would let no stranger in, without starting anything."""
    identity_for(_settings(host=host, port=port))


@app.command()
def user(name: Annotated[str, typer.Argument(help="The user's name.")]) -> None:
    """Ask for a password and print the user's line for the users file."""
    if (
        not name
        or not name.isprintable()
        or ":" in name
        or name.startswith("#")
        or name != name.strip()
    ):
        raise typer.BadParameter("a name has no colon and does not begin with #", param_hint="NAME")
    password = _password()
    if len(password) < MIN_LENGTH:
        raise typer.BadParameter(f"a password has at least {MIN_LENGTH} characters")
    typer.echo(f"{name}:{hash_password(password)}")


def main() -> None:
    """Run a command; an error ends it with a message on standard error and exit code 1."""
    try:
        app()
    except TrainfoldError as error:
        sys.exit(str(error))


def _settings(**options: str | int | None) -> ConsoleSettings:
    """Read the settings; options that are given override the environment."""
    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    return ConsoleSettings(**given)


def _password() -> str:
    if sys.stdin.isatty():
        answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return answer
    return sys.stdin.readline().rstrip("\n")
