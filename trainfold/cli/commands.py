"""The commands by what people do with them; the module of one is imported when it is called.

Importing all of them takes a second, so `--help` lists them from this table.
"""

import gc
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

CONVERSATIONS = "Conversations"
FILES = "Training files"
CONSOLE = "Console"
STACK = "Local stack"


class Entry(NamedTuple):
    name: str
    panel: str
    place: str
    """The module of `trainfold.cli`, and the function or the group of commands in it."""
    summary: str
    """The first line of its help, which a test compares with the function's docstring."""


COMMANDS = (
    Entry(
        "import",
        CONVERSATIONS,
        "imports:import_files",
        "Import conversation files: check them, upload them, insert rows and batch links.",
    ),
    Entry(
        "conversations",
        CONVERSATIONS,
        "listing:conversations",
        "List conversations with their batches and training files.",
    ),
    Entry(
        "batch",
        CONVERSATIONS,
        "batch:app",
        "Rename a batch that was imported, or take conversations out of it.",
    ),
    Entry(
        "check",
        FILES,
        "versions:check",
        "Ask the gate whether these conversations may be added; submit and write nothing.",
    ),
    Entry(
        "add",
        FILES,
        "versions:add",
        "Fold conversations into a training file (or a new one) and record a version.",
    ),
    Entry(
        "submit",
        FILES,
        "submit:submit",
        "Submit an add to a Prefect worker, and follow the run.",
    ),
    Entry(
        "rebuild",
        FILES,
        "versions:rebuild",
        "Read all conversations of a training file again; make a new version if any has changed.",
    ),
    Entry(
        "remove",
        FILES,
        "history:remove",
        "Make a version without these conversations; earlier versions keep them.",
    ),
    Entry(
        "rollback",
        FILES,
        "history:rollback",
        "Make a version with exactly the conversations of an earlier one.",
    ),
    Entry(
        "tag",
        FILES,
        "history:tag",
        "Name a version. The name works wherever a version's number does.",
    ),
    Entry("untag", FILES, "history:untag", "Remove a tag; the version stays."),
    Entry("files", FILES, "listing:files", "List the training files."),
    Entry(
        "show",
        FILES,
        "listing:show_file",
        "Show one training file: its current version, statistics and conversations.",
    ),
    Entry(
        "versions",
        FILES,
        "listing:versions",
        "List the versions of a training file, newest first.",
    ),
    Entry(
        "diff",
        FILES,
        "diff:diff",
        "Compare two versions: conversations, changed fields, statistics.",
    ),
    Entry(
        "download",
        FILES,
        "downloads:download",
        "Download a version, checking every conversation's digest.",
    ),
    Entry(
        "url",
        FILES,
        "downloads:url",
        "Print a temporary download link to a version, which needs no password.",
    ),
    Entry(
        "export",
        FILES,
        "export:export",
        "Export the approved answers of a version for TRL, LLaMA-Factory, axolotl or OpenAI.",
    ),
    Entry("exports", FILES, "export:exports", "List the stored exports of a version."),
    Entry(
        "fitness",
        FILES,
        "fitness:fitness",
        "Report what trainers would learn from a version, damage, leaks, and what repeats.",
    ),
    Entry(
        "verify",
        FILES,
        "downloads:verify",
        "Read the stored objects back; check digests, counts, order, and that JSON and "
        "JSONL agree.",
    ),
    Entry("rename", FILES, "life:rename", "Give a training file another name."),
    Entry(
        "archive",
        FILES,
        "life:archive",
        "Archive a training file: it can be read, and nothing can be added to it.",
    ),
    Entry("unarchive", FILES, "life:unarchive", "Make an archived training file active again."),
    Entry(
        "delete",
        FILES,
        "life:delete",
        "Delete an archived training file with all of its versions.",
    ),
    Entry(
        "keep",
        FILES,
        "life:keep",
        "Say which versions of a training file are kept; without an option, print it.",
    ),
    Entry(
        "damage",
        FILES,
        "life:damage",
        "Say whether conversations with damaged text may be added; without an option, print it.",
    ),
    Entry(
        "log",
        FILES,
        "life:log",
        "Show what was done to a training file and what was refused, newest first.",
    ),
    Entry(
        "maintain",
        FILES,
        "upkeep:maintain",
        "Find trainfold's stored objects that no version needs; --delete removes them.",
    ),
    Entry(
        "console",
        CONSOLE,
        "console:console",
        "Serve the console in the foreground, until Ctrl+C; off loopback it requires sign-in.",
    ),
    Entry(
        "console-user",
        CONSOLE,
        "console:console_user",
        "Ask for a password and print the user's line for the console's users file.",
    ),
    Entry(
        "api-token",
        CONSOLE,
        "api_tokens:app",
        "Create, list and revoke tokens of the HTTP API (docs/api.md).",
    ),
    Entry(
        "up",
        STACK,
        "local:up",
        "Start the local stack: PostgreSQL, S3, Prefect, a worker and the console.",
    ),
    Entry("down", STACK, "local:down", "Stop the local stack, and keep its data."),
    Entry(
        "status",
        STACK,
        "local:status",
        "Show which services of the local stack run, their addresses and their logs.",
    ),
    Entry(
        "open",
        STACK,
        "local:open_console",
        "Open the local stack's console in a browser; the link has the key that lets you in.",
    ),
    Entry(
        "password",
        STACK,
        "local:password",
        "Print the user:password that Prefect's UI and API require.",
    ),
    Entry(
        "deploy",
        STACK,
        "setup:deploy",
        "Register the deployments, the work pool and the automations with the Prefect server.",
    ),
    Entry(
        "migrate",
        STACK,
        "setup:migrate",
        "Bring the database to this version's schema, and create the buckets that are missing.",
    ),
    Entry(
        "doctor",
        STACK,
        "doctor:doctor",
        "Check the database, the object store, Prefect and the local stack; change nothing.",
    ),
    Entry(
        "demo",
        STACK,
        "demo:demo",
        "Import the sample conversations and fold them twice, in a home directory of its own.",
    ),
)


class LazyCommand(TyperCommand):
    """What `--help` shows of a command; calling it imports the command itself."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(
            name=entry.name, callback=None, help=entry.summary, rich_help_panel=entry.panel
        )
        self.entry = entry

    def make_context(self, *args: Any, **options: Any) -> Any:
        return loaded(self.entry).make_context(*args, **options)


class LazyGroup(TyperGroup):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {entry.name: LazyCommand(entry) for entry in COMMANDS}


def loaded(entry: Entry) -> Any:
    """Import the command."""
    module, _, name = entry.place.partition(":")
    # What is imported stays, and the collector would go through it again and again: a tenth of
    # the time.
    gc.disable()
    try:
        command = getattr(import_module(f"trainfold.cli.{module}"), name)
    finally:
        gc.enable()
    if isinstance(command, typer.Typer):
        return typer.main.get_command(command)
    app = typer.Typer(add_completion=False)
    app.command(entry.name)(command)
    return typer.main.get_command(app)
