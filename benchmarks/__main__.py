"""`python -m benchmarks`: run benchmarks, each on a stack of its own; print tables, write JSON.

The project's modules are imported where they are used: the processes whose memory is measured
import this module, too.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Report


@dataclass(frozen=True)
class Benchmark:
    """A module's `run`: the services that it needs, and its arguments."""

    services: Sequence[str]
    sizes: Mapping[str, Any]
    quick_sizes: Mapping[str, Any]


BENCHMARKS = {
    "throughput": Benchmark(
        services=("postgresql", "s3"),
        sizes={"files": 1_000, "repeats": 7},
        quick_sizes={"files": 200, "repeats": 3},
    ),
    "start_up": Benchmark(
        services=("postgresql", "s3", "prefect"),
        sizes={"repeats": 9},
        quick_sizes={"repeats": 3},
    ),
    "flow": Benchmark(
        services=("postgresql", "s3", "prefect"),
        sizes={"repeats": 5},
        quick_sizes={"repeats": 1},
    ),
    "add_cost": Benchmark(
        services=("postgresql", "s3"),
        sizes={
            "sizes": (80, 1_000, 5_000, 10_000, 20_000),
            "naive_sizes": (80, 1_000, 5_000),
            "repeats": 3,
        },
        quick_sizes={"sizes": (80, 1_000), "naive_sizes": (80, 1_000), "repeats": 1},
    ),
    "history_cost": Benchmark(
        services=("postgresql", "s3"),
        sizes={"size": 20_000, "repeats": 3},
        quick_sizes={"size": 1_000, "repeats": 1},
    ),
    "fitness_cost": Benchmark(
        services=("postgresql", "s3"),
        sizes={"size": 10_000},
        quick_sizes={"size": 1_000},
    ),
    "rebuild_cost": Benchmark(
        services=("postgresql", "s3", "prefect"),
        sizes={"sizes": (1_000, 10_000), "repeats": 3},
        quick_sizes={"sizes": (100, 1_000), "repeats": 1},
    ),
    "backfill": Benchmark(
        services=("postgresql", "s3", "prefect"),
        sizes={"conversations": 8_000, "repeats": 3},
        quick_sizes={"conversations": 400, "repeats": 1},
    ),
    "queries": Benchmark(
        services=("postgresql",),
        sizes={"conversations": 100_000, "files": 1_000, "repeats": 3},
        quick_sizes={"conversations": 100_000, "files": 1_000, "repeats": 1},
    ),
    "console_pages": Benchmark(
        services=("postgresql",),
        sizes={"conversations": 100_000, "repeats": 7},
        quick_sizes={"conversations": 100_000, "repeats": 1},
    ),
    "application_queries": Benchmark(
        services=("postgresql",),
        sizes={"conversations": 100_000, "repeats": 5},
        quick_sizes={"conversations": 100_000, "repeats": 1},
    ),
}


def main() -> int:
    """Run the selected benchmarks; return 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--only", choices=BENCHMARKS, action="append")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the benchmarks")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to this file")
    options = parser.parse_args()
    reports = {}
    for name in options.only or BENCHMARKS:
        print(f"Measuring {name} …", flush=True)
        reports[name] = _run(name, quick=options.quick)
        _show(name, reports[name])
    if options.json:
        document = {"machine": _machine()} | {name: r.document() for name, r in reports.items()}
        options.json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return int(not all(target.is_met for report in reports.values() for target in report.targets))


def _run(name: str, *, quick: bool) -> Report:
    benchmark = BENCHMARKS[name]
    with _own_stack(benchmark.services):
        sizes = benchmark.quick_sizes if quick else benchmark.sizes
        report: Report = import_module(f"benchmarks.{name}").run(**sizes)
    return report


@contextmanager
def _own_stack(services: Sequence[str]) -> Iterator[None]:
    """Start services in a new home and point this process and its children to them."""
    for name in [name for name in os.environ if name.startswith(("TRAINFOLD_", "PREFECT_"))]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="trainfold-bench-"))
    # As root, PostgreSQL runs as another user, who must be able to enter.
    home.chmod(0o711)
    os.environ["TRAINFOLD_HOME"] = str(home)

    from db import migrate  # noqa: PLC0415
    from operations import resources  # noqa: PLC0415
    from trainfold.stack import Service, Stack, prefect_environment  # noqa: PLC0415

    stack = Stack(home)
    try:
        stack.up([Service(service) for service in services], say=print)
        resources.forget()
        migrate.upgrade(resources.engine())
        if Service.S3 in services:
            resources.conversations_store().create_bucket()
            resources.training_files_store().create_bucket()
        if Service.PREFECT in services:
            settings = resources.settings()
            url, auth = settings.prefect_api_url or "", settings.prefect_auth
            password = auth.get_secret_value() if auth else None
            os.environ.update(prefect_environment(home, url, auth=password))
            os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
        yield
    finally:
        stack.down(say=print)
        shutil.rmtree(home, ignore_errors=True)


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def _show(name: str, report: Report) -> None:
    table = Table("what", "median", "lowest", "highest", "unit", title=name)
    for figure in report.figures:
        numbers = (figure.median, min(figure.runs), max(figure.runs))
        table.add_row(figure.name, *(f"{number:,.2f}" for number in numbers), figure.unit)
    console = Console()
    console.print(table)
    for target in report.targets:
        sign = "≥" if target.at_least else "≤"
        verdict = "met" if target.is_met else "MISSED"
        console.print(f"{verdict}: {target.what} = {target.measured:.2f} ({sign} {target.limit:g})")
    for note in report.notes:
        console.print(note, style="dim")


if __name__ == "__main__":
    sys.exit(main())
