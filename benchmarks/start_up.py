"""Compare what a command takes from a cold process with `python -c pass`, measured alternately.

A ratio to the interpreter's own start holds on other machines; seconds would not.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks import content
from benchmarks.measure import Figure, Report, Target

ADDED = 80
NOTHING = (sys.executable, "-c", "pass")
TRAINFOLD = str(Path(sys.executable).with_name("trainfold"))


def run(*, repeats: int) -> Report:
    ids = [str(id) for id in content.stored(ADDED)]
    numbers = count()
    commands: dict[str, Callable[[], tuple[str, ...]]] = {
        "python -c pass": lambda: NOTHING,
        "--help": lambda: (TRAINFOLD, "--help"),
        "files": lambda: (TRAINFOLD, "files"),
        "conversations": lambda: (TRAINFOLD, "conversations"),
        "check of 80": lambda: (TRAINFOLD, "check", "Checked", "--new", *ids),
        "add of 80": lambda: (TRAINFOLD, "add", f"Added {next(numbers)}", "--new", *ids),
    }
    runs: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeats + 1):
        for name, command in commands.items():
            runs[name].append(_seconds(command()))
    # The first round fills the file system's cache.
    figures = [Figure(name, "s", tuple(seconds[1:])) for name, seconds in runs.items()]
    nothing, *others = (median(figure.runs) for figure in figures)
    ratios = dict(zip(list(commands)[1:], (seconds / nothing for seconds in others), strict=True))
    return Report(
        figures,
        [
            Target("--help / python -c pass", ratios["--help"], 25),
            Target("check of 80 / python -c pass", ratios["check of 80"], 50),
            Target("add of 80, seconds", median(runs["add of 80"][1:]), 3.5),
        ],
    )


def _seconds(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start
