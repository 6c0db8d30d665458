"""Run many trials, several concurrently, as a trial mostly waits."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import count

from soak.kinds import KINDS
from soak.stage import Stage
from soak.tally import Tally

AT_ONCE = 6
Plan = Iterator[tuple[str, int]]
Progress = Callable[[dict[str, Tally]], None]


def plan(names: list[str], *, trials: int | None, endless: bool = False) -> Plan:
    """Yield kinds and numbers of trials, mixed so that every part of the run has all kinds."""
    usual = {name: KINDS[name].usual for name in names}
    scale = trials / sum(usual.values()) if trials else 1.0
    shares = {name: max(1, round(share * scale)) for name, share in usual.items()}
    for turn in count() if endless else range(1):
        yield from _mixed(shares, turn)


def _mixed(shares: dict[str, int], turn: int) -> Plan:
    places = [
        ((at + 0.5) / share, name, turn * share + at)
        for name, share in shares.items()
        for at in range(share)
    ]
    for _, name, number in sorted(places):
        yield name, number


def run(
    stage: Stage,
    planned: Plan,
    *,
    seconds: float | None = None,
    progress: Progress = lambda _: None,
) -> dict[str, Tally]:
    """Run the planned trials; return tallies by kind. An error of the soak itself ends the run."""
    end = time.monotonic() + seconds if seconds else float("inf")
    tallies: dict[str, Tally] = {}
    under_way: dict[Future[Tally], str] = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for name, number in planned:
            if time.monotonic() > end:
                break
            under_way[threads.submit(_trial, stage, name, number)] = name
            if len(under_way) >= AT_ONCE:
                _collect(under_way, tallies, progress)
        while under_way:
            _collect(under_way, tallies, progress)
    return tallies


def _trial(stage: Stage, name: str, number: int) -> Tally:
    threading.current_thread().name = f"{name} #{number}"
    started = time.monotonic()
    tally = KINDS[name].run(stage, number)
    return replace(tally, seconds=time.monotonic() - started)


def _collect(
    under_way: dict[Future[Tally], str],
    tallies: dict[str, Tally],
    progress: Progress,
) -> None:
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        name = under_way.pop(future)
        tallies[name] = tallies.get(name, Tally()) + future.result()
    progress(tallies)
