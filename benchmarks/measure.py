"""Wall time, CPU time and peak memory of a function, in a process of its own."""

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
    """What a piece of work took of the process that did it."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


class Meter:
    """Wall and CPU time from `start` to `stop`; the memory's peak since the process began."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> Cost:
        return Cost(
            wall_seconds=time.perf_counter() - self._wall,
            cpu_seconds=time.process_time() - self._cpu,
            peak_bytes=peak_bytes(),
        )


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run the function in a fresh process, so that nothing else counts as its memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike getrusage's, this does not begin with the peak of the parent.
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@dataclass(frozen=True)
class Figure:
    """A median of repeated runs with its spread: lowest and highest."""

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
class Bar:
    """A promise, and what was measured: `measured` must be on the right side of `bar`."""

    what: str
    measured: float
    bar: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.measured >= self.bar if self.at_least else self.measured <= self.bar

    def document(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "measured": self.measured,
            "bar": self.bar,
            "at_least": self.at_least,
            "holds": self.holds,
        }


@dataclass(frozen=True)
class Report:
    """What a benchmark found."""

    figures: Sequence[Figure]
    bars: Sequence[Bar] = ()
    notes: Sequence[str] = ()
