"""Print results: one JSON document on standard output, or tables for people.

Everything else (progress, services that are started, errors) goes to standard error.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

stdout = Console(
    soft_wrap=True,
    # Names may look like markup.
    markup=False,
    highlight=False,
    # Output to a file or a pipe is not cut to a screen's width.
    width=None if sys.stdout.isatty() else 10_000,
)
stderr = Console(stderr=True, soft_wrap=True)

_json_asked_for = False


def _ask_for_json(value: bool) -> bool:
    global _json_asked_for  # noqa: PLW0603 - errors that end a command read it, too
    _json_asked_for = value
    return value


Json = Annotated[
    bool,
    typer.Option("--json", help="One JSON document on standard output.", callback=_ask_for_json),
]


def json_asked_for() -> bool:
    return _json_asked_for


def say(message: str) -> None:
    """Print a message on standard error."""
    stderr.print(Text(message))


def show(document: Any, for_people: Callable[[], None]) -> None:
    """Print a result, in the requested form."""
    if _json_asked_for:
        print_json(document)
    else:
        for_people()


def print_json(document: Any) -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    sys.stdout.write(orjson.dumps(document, default=str, option=options).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print a table on standard output; columns that start with `#` are right-aligned numbers.

    On a narrow screen cells are folded, never cut; ids in the first column stay whole.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(
            column.removeprefix("#"),
            justify="right" if column.startswith("#") else "left",
            overflow="fold",
            no_wrap=index == 0,
        )
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    if table.row_count:
        _print_without_trailing_blanks(table)
    else:
        stdout.print(Text(empty))


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair per line."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name, style="bold"), Text(str(value)))
    _print_without_trailing_blanks(table)


def _print_without_trailing_blanks(table: Table) -> None:
    if stdout.is_terminal:
        stdout.print(table, soft_wrap=False)
        return
    with stdout.capture() as captured:
        stdout.print(table, soft_wrap=False)
    for line in captured.get().splitlines():
        print(line.rstrip())
