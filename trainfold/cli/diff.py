"""`diff`: what differs between two versions."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import orjson
import typer

from domain.documents import diff_document, statistics_document
from domain.findings import shortened
from domain.versions.diff import ABSENT, ConversationChange, FieldChange, VersionDiff, excerpts
from domain.versions.record import Member, VersionRecord
from operations import resources
from operations.diff import compare_versions
from trainfold.cli.output import Json, print_table, show, stdout
from trainfold.cli.ready import ready
from trainfold.cli.selection import File, checked_version

MAX_LIMIT = 1_000
MAX_CELL = 60
"""Characters of a value in the table."""


def diff(
    file: File,
    before: Annotated[
        str,
        typer.Argument(metavar="A", help="A version's number or tag.", callback=checked_version),
    ],
    after: Annotated[
        str | None,
        typer.Argument(metavar="[B]", help="Default: the current one.", callback=checked_version),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MAX_LIMIT, help="Maximum number of items in each list.")
    ] = 20,
    json: Json = False,
) -> None:
    """Compare two versions: conversations, changed fields, statistics.

    Only changed conversations are read. Counts are of all, whatever the limit.
    """
    ready("database", "s3")
    found = compare_versions(
        resources.engine(),
        resources.training_files_store(),
        file,
        before,
        after,
        max_changed=limit,
    )
    show(diff_document(found, limit=limit), lambda: _print(found, limit))


def _print(diff: VersionDiff, limit: int) -> None:
    name, old, new = diff.after.training_file, diff.before.number, diff.after.number
    if diff.is_identical:
        stdout.print(f"Versions {old} and {new} of “{name}” hold the same conversations.")
        return
    members = diff.members
    lists = {
        "added": members.added,
        "removed": members.removed,
        "changed": [member for _, member in members.changed],
        "moved": members.moved,
    }
    counts = ", ".join(f"{len(found)} {kind}" for kind, found in lists.items())
    stdout.print(f"“{name}”, from version {old} to version {new}: {counts}")
    for kind, found in lists.items():
        _print_ids(kind, found, limit)
    for change in diff.details:
        _print_change(change, limit)
    _print_statistics(diff.before, diff.after, limit)


def _print_ids(kind: str, members: Sequence[Member], limit: int) -> None:
    if members:
        stdout.print()
        print_table([kind], ([member.conversation_id] for member in members[:limit]), empty="")
        _print_more(len(members) - limit)


def _print_change(change: ConversationChange, limit: int) -> None:
    rows = list(_rows(change))
    stdout.print()
    stdout.print(f"In {change.conversation_id}:")
    columns = ["pair", "field", "before", "after"]
    print_table(columns, rows[:limit], empty="Only the order of keys or a notation differs.")
    _print_more(len(rows) - limit)


def _rows(change: ConversationChange) -> Iterator[Sequence[object]]:
    for field in change.fields:
        yield "", field.path, *_cells(field)
    for pair in change.pairs:
        name = shortened(pair.id)
        if not pair.fields:
            yield name, f"(pair {pair.change})", "", ""
        for field in pair.fields:
            yield name, field.path, *_cells(field)


def _cells(field: FieldChange) -> Iterator[str]:
    for value in excerpts(field, MAX_CELL):
        yield "(absent)" if value is ABSENT else _cell(value)


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return shortened(text, MAX_CELL + 2)


def _print_statistics(before: VersionRecord, after: VersionRecord, limit: int) -> None:
    columns = [f"#version {before.number}", f"#version {after.number}", "#difference"]
    stdout.print()
    print_table(["statistics", *columns], _compared(*map(_numbers, (before, after))), empty="")
    one, other = (statistics_document(version.statistics) for version in (before, after))
    kinds = {**one["scaffolding_distribution"], "quality_tiers": one["quality_tiers"]}
    others = {**other["scaffolding_distribution"], "quality_tiers": other["quality_tiers"]}
    for kind, counts in kinds.items():
        rows = list(_compared(counts, others[kind]))
        stdout.print()
        print_table([kind, *columns], rows[:limit], empty="")
        _print_more(len(rows) - limit)


def _numbers(version: VersionRecord) -> dict[str, Any]:
    return {
        "conversations": version.conversation_count,
        "training pairs": version.pair_count,
        "examples": version.example_count,
        **statistics_document(version.statistics)["quality_summary"],
    }


def _compared(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Sequence[str]]:
    for key in sorted({**before, **after}) if before.keys() != after.keys() else before:
        one, other = before.get(key, 0), after.get(key, 0)
        form = ",d" if isinstance(one, int) and isinstance(other, int) else ",.2f"
        difference = format(other - one, f"+{form}") if other != one else ""
        yield key, format(one, form), format(other, form), difference


def _print_more(count: int) -> None:
    if count > 0:
        stdout.print(f"and {count:,} more")
