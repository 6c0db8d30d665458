"""Measure wall time, CPU time and peak memory of a function in a process of its own."""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Cost:
    """The resources that a process spent on a piece of work."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


class Meter:
    """Measures wall and CPU time until `stop`, and peak memory since the process began."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> Cost:
        return Cost(
            wall_seconds=time.perf_counter() - self._wall,
            cpu_seconds=time.process_time() - self._cpu,
            peak_bytes=peak_bytes(),
        )


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run the function in a fresh process, so that only its own memory is counted."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike getrusage's, this does not begin with the peak of the parent.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@dataclass(frozen=True)
class Figure:
    """The results of repeated runs."""

    name: str
    unit: str
    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.runs)

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "lowest": min(self.runs),
            "highest": max(self.runs),
            "runs": list(self.runs),
        }


@dataclass(frozen=True)
class Target:
    """A promised limit and the measured value, which must not exceed (or fall below) it."""

    what: str
    measured: float
    limit: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def document(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "measured": self.measured,
            "limit": self.limit,
            "at_least": self.at_least,
            "is_met": self.is_met,
        }


@dataclass(frozen=True)
class Report:
    """The results of one benchmark."""

    figures: Sequence[Figure]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        return {
            "figures": [figure.document() for figure in self.figures],
            "targets": [target.document() for target in self.targets],
            "notes": list(self.notes),
        }
