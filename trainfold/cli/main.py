"""The command `trainfold`."""

import sys
from typing import Annotated, NoReturn

import typer

from domain.errors import AccessRefused, Blocked, NotFound, TrainfoldError, Unreachable
from trainfold import __version__
from trainfold.cli.atomic import OutputRefused
from trainfold.cli.commands import LazyGroup
from trainfold.cli.exits import Exit
from trainfold.cli.output import json_asked_for, print_json, print_table, say

app = typer.Typer(
    cls=LazyGroup,
    help="Fold enriched conversation files into versioned LoRA training files.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

CODES: dict[type[Exception], Exit] = {
    NotFound: Exit.NOT_FOUND,
    Unreachable: Exit.UNREACHABLE,
    AccessRefused: Exit.UNREACHABLE,
    OutputRefused: Exit.USAGE,
}


def _version(is_given: bool) -> None:
    if is_given:
        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Run a command; print the error that it raises, and exit with the error's code."""
    try:
        app()
    except Blocked as blocked:
        code = _blocked(blocked)
    except TrainfoldError as error:
        code = _failed(str(error), _code_of(error))
    sys.exit(code)


def _code_of(error: TrainfoldError) -> Exit:
    kinds = (code for kind, code in CODES.items() if isinstance(error, kind))
    return next(kinds, Exit.OTHER)


def _blocked(blocked: Blocked) -> Exit:
    from domain.documents import blocked_document  # noqa: PLC0415 - imports pydantic's models

    if json_asked_for():
        print_json(blocked_document(blocked.reasons))
    else:
        rows = [
            (r.conversation_id or "(request)", r.code, r.reason, r.path) for r in blocked.reasons
        ]
        print_table(["conversation", "code", "reason", "path"], rows, empty="")
        say(f"Blocked: {blocked.advice}")
    return Exit.BLOCKED


def _failed(message: str, code: Exit = Exit.OTHER) -> Exit:
    if json_asked_for():
        print_json({"error": {"exit_code": int(code), "message": message}})
    say(message)
    return code
