"""`python -m benchmarks`: a stack of its own, all benchmarks, a table and a JSON file."""

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import orjson
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Report

BENCHMARKS = ("throughput", "flow", "adding", "rebuilding", "queries")


def main() -> int:
    """Run what was asked for; 1 when a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, action="append")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the benchmarks")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the figures are written")
    options = parser.parse_args()
    with_stack = _own_home()
    try:
        return with_stack(lambda: _run(options))
    finally:
        shutil.rmtree(os.environ["TRAINFOLD_HOME"], ignore_errors=True)


def _own_home() -> Callable[[Callable[[], int]], int]:
    """Point this process and its children to a new home, before anything reads the settings."""
    for name in [name for name in os.environ if name.startswith(("TRAINFOLD_", "PREFECT_"))]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="trainfold-bench-"))
    home.chmod(0o711)
    os.environ["TRAINFOLD_HOME"] = str(home)

    from db import migrate  # noqa: PLC0415 - the environment comes first
    from operations import resources  # noqa: PLC0415
    from trainfold.stack import Service, Stack, prefect_environment  # noqa: PLC0415

    def with_stack(work: Callable[[], int]) -> int:
        stack = Stack(home)
        try:
            stack.up([Service.POSTGRES, Service.S3, Service.PREFECT], say=print)
            resources.forget()
            migrate.upgrade(resources.engine())
            resources.conversations_store().create_bucket()
            resources.training_files_store().create_bucket()
            url = resources.settings().prefect_api_url or ""
            os.environ.update(prefect_environment(home, url))
            os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
            return work()
        finally:
            stack.down(say=print)

    return with_stack


def _run(options: argparse.Namespace) -> int:
    reports = {}
    for name in options.only or BENCHMARKS:
        print(f"Measuring {name} …", flush=True)
        reports[name] = _work(quick=options.quick)[name]()
        _show(name, reports[name])
    if options.json:
        document = {"machine": machine(), **{name: _document(r) for name, r in reports.items()}}
        options.json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return int(not all(bar.holds for report in reports.values() for bar in report.bars))


def _work(*, quick: bool) -> dict[str, Callable[[], Report]]:
    from benchmarks import adding, flow, queries, rebuilding, throughput  # noqa: PLC0415

    if quick:
        return {
            "throughput": lambda: throughput.run(files=200, repeats=3),
            "flow": lambda: flow.run(repeats=1),
            "adding": lambda: adding.run(sizes=(80, 1_000), plain_sizes=(80, 1_000), repeats=1),
            "rebuilding": lambda: rebuilding.run(sizes=(100, 1_000), repeats=1),
            "queries": lambda: queries.run(conversations=100_000, files=1_000, repeats=1),
        }
    return {
        "throughput": lambda: throughput.run(files=1_000, repeats=7),
        "flow": lambda: flow.run(repeats=5),
        "adding": lambda: adding.run(
            sizes=(80, 1_000, 5_000, 10_000, 20_000), plain_sizes=(80, 1_000, 5_000), repeats=3
        ),
        "rebuilding": lambda: rebuilding.run(sizes=(1_000, 10_000), repeats=3),
        "queries": lambda: queries.run(conversations=100_000, files=1_000, repeats=3),
    }


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def _document(report: Report) -> dict[str, object]:
    return {
        "figures": [figure.document() for figure in report.figures],
        "bars": [bar.document() for bar in report.bars],
        "notes": list(report.notes),
    }


def _show(name: str, report: Report) -> None:
    table = Table("what", "median", "lowest", "highest", "unit", title=name)
    for figure in report.figures:
        numbers = (figure.median, min(figure.runs), max(figure.runs))
        table.add_row(figure.name, *(f"{number:,.2f}" for number in numbers), figure.unit)
    console = Console()
    console.print(table)
    for bar in report.bars:
        sign = "≥" if bar.at_least else "≤"
        verdict = "holds" if bar.holds else "MISSED"
        console.print(f"{verdict}: {bar.what} = {bar.measured:.2f} ({sign} {bar.bar:g})")
    for note in report.notes:
        console.print(note, style="dim")


if __name__ == "__main__":
    sys.exit(main())
