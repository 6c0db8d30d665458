"""Print the table at the end of a run, or format it as JSON."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from soak.kinds import KINDS
from soak.tally import Flaw, Tally

FLAWS = tuple(flaw.value for flaw in Flaw)
COLUMNS = ("trials", "struck", "made", "blocked", *FLAWS)


def total(tallies: dict[str, Tally]) -> Tally:
    return sum(tallies.values(), Tally())


def print_table(tallies: dict[str, Tally], *, seconds: float) -> None:
    table = Table(title=f"{total(tallies).trials:,} trials in {seconds:.0f} s")
    table.add_column("kind of fault")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for name in KINDS:
        if name in tallies:
            table.add_row(name, *_cells(tallies[name]))
    table.add_section()
    table.add_row("all", *_cells(total(tallies)))
    console = Console(width=120)
    for finding in total(tallies).findings:
        console.print(finding, markup=False, highlight=False)
    console.print(table)


def as_json(tallies: dict[str, Tally], *, seconds: float, seed: int) -> str:
    content = {
        "seed": seed,
        "seconds": round(seconds, 1),
        "all": asdict(total(tallies)),
        "kinds": {name: asdict(tally) for name, tally in tallies.items()},
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _cells(tally: Tally) -> list[str]:
    return [f"{getattr(tally, column):,}" for column in COLUMNS]
