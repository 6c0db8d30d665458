"""`rename`, `archive`, `unarchive`, `delete`, `keep`, `damage`, `log`: a training file's life."""

import sys
from typing import Annotated
from uuid import uuid4

import typer

from domain.documents import damage_document, entry_document, policy_document
from domain.versions.log import RecordedEntry
from domain.versions.naming import as_argument
from domain.versions.requests import FileCommand
from domain.versions.retention import KeepPolicy
from operations import resources
from operations.archive import archive as archive_file
from operations.archive import unarchive as unarchive_file
from operations.damage import read_refuses_damage, refuse_damage
from operations.delete import delete as delete_file
from operations.keep import keep as keep_versions
from operations.keep import read_policy
from operations.log import read_log
from operations.rename import rename as rename_file
from trainfold.cli.output import Json, print_table, say, show, stdout
from trainfold.cli.ready import ready
from trainfold.cli.selection import File
from trainfold.cli.user import current_user

AskedBy = Annotated[str | None, typer.Option("--as", help="Your name; the log records it.")]
Comment = Annotated[str, typer.Option("--comment", help="Why; the log records it.")]


def rename(
    file: File,
    new_name: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    comment: Comment = "",
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Give a training file another name.

    Versions keep the name that they were made under; the next one has the new name inside.
    """
    command = _command(file, comment, requested_by)
    name = rename_file(resources.engine(), command, new_name)
    show(
        {"training_file": name, "renamed_from": command.name},
        lambda: stdout.print(f"“{command.name}” is “{name}” now."),
    )


def archive(
    file: File, comment: Comment = "", requested_by: AskedBy = None, json: Json = False
) -> None:
    """Archive a training file: it can be read, and nothing can be added to it."""
    name = archive_file(resources.engine(), _command(file, comment, requested_by))
    _show_status(name, "archived")


def unarchive(
    file: File, comment: Comment = "", requested_by: AskedBy = None, json: Json = False
) -> None:
    """Make an archived training file active again."""
    name = unarchive_file(resources.engine(), _command(file, comment, requested_by))
    _show_status(name, "active")


def delete(
    file: File,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="NAME", help="The file's name again; else it is asked."),
    ] = None,
    comment: Comment = "",
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Delete an archived training file with all of its versions.

    Its name is free at once. `maintain` removes its objects after the grace time (seven days). Its
    log stays.
    """
    if confirm is None:
        confirm = _typed_name(file)
    command = _command(file, comment, requested_by)
    id = delete_file(resources.engine(), command, confirmation=confirm)
    grace = resources.settings().deleted_file_grace
    document = {
        "training_file": command.name,
        "training_file_id": str(id),
        "status": "deleted",
        "objects_kept_for_seconds": int(grace.total_seconds()),
    }
    show(document, lambda: stdout.print(f"“{command.name}” is deleted; its name is free."))
    say(
        f"Its objects stay for {grace.total_seconds() / 86_400:g} days; then `trainfold maintain` "
        f"removes them. Its log: trainfold log {id}"
    )


def keep(
    file: File,
    last: Annotated[int | None, typer.Option(help="Keep so many of the newest versions.")] = None,
    days: Annotated[int | None, typer.Option(help="Keep the versions of so many days.")] = None,
    tagged: Annotated[
        bool | None, typer.Option("--tagged/--all", help="Keep versions with a tag; or all.")
    ] = None,
    comment: Comment = "",
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Say which versions of a training file are kept; without an option, print it.

    A version is kept if one of the options keeps it; the current version always is. `maintain`
    releases the others: their records stay, their JSON and JSONL go. --all keeps all versions.
    """
    if tagged is False and (last is not None or days is not None):
        raise typer.BadParameter("--all keeps all versions; give it alone.")
    command = _command(file, comment, requested_by)
    if last is None and days is None and tagged is None:
        name, policy = read_policy(resources.engine(), command.name)
    else:
        policy = KeepPolicy(last=last, days=days, tagged=bool(tagged))
        name = keep_versions(resources.engine(), command, policy)
    text = f"Of “{name}”, maintenance keeps {policy}."
    show(policy_document(name, policy), lambda: stdout.print(text))


def damage(
    file: File,
    refuse: Annotated[
        bool | None,
        typer.Option("--refuse/--accept", help="Damage is an error from now on; or a warning."),
    ] = None,
    comment: Comment = "",
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Say whether conversations with damaged text may be added; without an option, print it.

    Damaged is text that is cut off at a backslash or escaped twice, and sound answers that follow
    it. What is in the file stays; a rebuild names it.
    """
    command = _command(file, comment, requested_by)
    engine = resources.engine()
    if refuse is None:
        name, refused = read_refuses_damage(engine, command.name)
    else:
        name, refused = refuse_damage(engine, command, refused=refuse), refuse
    text = f"“{name}” {'refuses' if refused else 'takes'} conversations with damaged text."
    show(damage_document(name, refused=refused), lambda: stdout.print(text))


def log(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Name, last name or id of a training file.")
    ],
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of entries.")] = 50,
    before: Annotated[
        int | None, typer.Option(metavar="ID", help="Only entries older than this one.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what was done to a training file and what was refused, newest first.

    A deleted file is found by its last name or its id.
    """
    ready("database")
    entries = read_log(resources.engine(), file, limit=limit, before=before)
    show([entry_document(entry) for entry in entries], lambda: _print(entries))
    if len(entries) == limit:
        say(f"Older entries: trainfold log --before {entries[-1].id} {as_argument(file)}")


def _command(file: str, comment: str, requested_by: str | None) -> FileCommand:
    ready("database")
    return FileCommand(
        training_file=file,
        comment=comment,
        requested_by=requested_by or current_user(),
        request_id=str(uuid4()),
    )


def _typed_name(file: str) -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("give --confirm NAME, the name of the file that is deleted.")
    typed: str = typer.prompt(f"Type the name of the training file to delete it ({file})", err=True)
    return typed


def _show_status(name: str, status: str) -> None:
    document = {"training_file": name, "status": status}
    show(document, lambda: stdout.print(f"“{name}” is {status}."))


def _print(entries: list[RecordedEntry]) -> None:
    print_table(
        ["#id", "when", "by", "what", "outcome", "#version", "details", "request", "run"],
        (
            (
                entry.id,
                f"{entry.at:%Y-%m-%d %H:%M:%S}",
                entry.actor,
                entry.action,
                entry.outcome,
                entry.version,
                entry.in_words,
                entry.request_id,
                entry.run_id,
            )
            for entry in entries
        ),
        empty="There are no older entries.",
    )
