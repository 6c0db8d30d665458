"""The command `trainfold`."""

import sys
from typing import Annotated, NoReturn

import typer

from domain.documents import blocked_document
from domain.errors import AccessRefused, Blocked, NotFound, TrainfoldError, Unreachable
from trainfold import __version__
from trainfold.cli import (
    api_tokens,
    console,
    demo,
    diff,
    doctor,
    downloads,
    export,
    fitness,
    history,
    imports,
    life,
    listing,
    local,
    setup,
    submit,
    upkeep,
    versions,
)
from trainfold.cli.atomic import OutputRefused
from trainfold.cli.exits import Exit
from trainfold.cli.output import json_asked_for, print_json, print_table, say
from trainfold.stack.errors import StackError

app = typer.Typer(
    help="Fold enriched conversation files into versioned LoRA training files.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

CODES: dict[type[Exception], Exit] = {
    NotFound: Exit.NOT_FOUND,
    Unreachable: Exit.UNREACHABLE,
    AccessRefused: Exit.UNREACHABLE,
    StackError: Exit.UNREACHABLE,
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


CONVERSATIONS = "Conversations"
FILES = "Training files"
CONSOLE = "Console"
STACK = "Local stack"

app.command("import", rich_help_panel=CONVERSATIONS)(imports.import_files)
app.command(rich_help_panel=CONVERSATIONS)(listing.conversations)
app.command(rich_help_panel=FILES)(versions.check)
app.command(rich_help_panel=FILES)(versions.add)
app.command(rich_help_panel=FILES)(submit.submit)
app.command(rich_help_panel=FILES)(versions.rebuild)
app.command(rich_help_panel=FILES)(history.remove)
app.command(rich_help_panel=FILES)(history.rollback)
app.command(rich_help_panel=FILES)(history.tag)
app.command(rich_help_panel=FILES)(history.untag)
app.command(rich_help_panel=FILES)(listing.files)
app.command("show", rich_help_panel=FILES)(listing.show_file)
app.command(rich_help_panel=FILES)(listing.versions)
app.command(rich_help_panel=FILES)(diff.diff)
app.command(rich_help_panel=FILES)(downloads.download)
app.command(rich_help_panel=FILES)(downloads.url)
app.command(rich_help_panel=FILES)(export.export)
app.command(rich_help_panel=FILES)(export.exports)
app.command(rich_help_panel=FILES)(fitness.fitness)
app.command(rich_help_panel=FILES)(downloads.verify)
app.command(rich_help_panel=FILES)(life.rename)
app.command(rich_help_panel=FILES)(life.archive)
app.command(rich_help_panel=FILES)(life.unarchive)
app.command(rich_help_panel=FILES)(life.delete)
app.command(rich_help_panel=FILES)(life.keep)
app.command(rich_help_panel=FILES)(life.damage)
app.command(rich_help_panel=FILES)(life.log)
app.command(rich_help_panel=FILES)(upkeep.maintain)
app.command(rich_help_panel=CONSOLE)(console.console)
app.command("console-user", rich_help_panel=CONSOLE)(console.console_user)
app.add_typer(api_tokens.app, name="api-token", rich_help_panel=CONSOLE)
app.command(rich_help_panel=STACK)(local.up)
app.command(rich_help_panel=STACK)(local.down)
app.command(rich_help_panel=STACK)(local.status)
app.command("open", rich_help_panel=STACK)(local.open_console)
app.command(rich_help_panel=STACK)(local.password)
app.command(rich_help_panel=STACK)(setup.deploy)
app.command(rich_help_panel=STACK)(setup.migrate)
app.command(rich_help_panel=STACK)(doctor.doctor)
app.command(rich_help_panel=STACK)(demo.demo)


def main() -> NoReturn:
    """Run a command; print the error that it raises, and exit with the error's code."""
    try:
        app()
    except Blocked as blocked:
        code = _blocked(blocked)
    except (TrainfoldError, StackError) as error:
        code = _failed(str(error), CODES.get(type(error), Exit.OTHER))
    sys.exit(code)


def _blocked(blocked: Blocked) -> Exit:
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
