"""The flow of 80 conversations beside an empty flow of the same shape, on the same server."""

import time
from typing import Any
from uuid import uuid4

from benchmarks import content
from benchmarks.measure import Bar, Figure, Report, in_own_process

ADDED = 80


def run(*, repeats: int) -> Report:
    report: Report = in_own_process(_measure, repeats)
    return report


def _measure(repeats: int) -> Report:
    from flows.add_conversations import add_conversations  # noqa: PLC0415 - in its own process

    ids = [[str(id) for id in content.stored(ADDED)] for _ in range(repeats + 1)]
    empty = empty_flow()

    def ours(run: int) -> Any:
        return add_conversations(f"Flow {uuid4()}", ids[run], new=True, return_state=True)

    def timed(work: Any, run: int) -> float:
        start = time.perf_counter()
        state = work(run)
        assert state.is_completed(), state  # noqa: S101
        seconds = time.perf_counter() - start
        # The server takes in the events of a run for some seconds after it.
        time.sleep(8)
        return seconds

    timed(lambda _: empty(return_state=True), 0)
    timed(ours, 0)
    runs = [
        (timed(ours, number), timed(lambda _: empty(return_state=True), number))
        for number in range(1, repeats + 1)
    ]
    figures = [
        Figure("flow of 80 conversations", "s", tuple(run[0] for run in runs)),
        Figure("empty flow of the same shape", "s", tuple(run[1] for run in runs)),
    ]
    ratio = figures[0].median / figures[1].median
    return Report(figures, [Bar("flow of 80 / empty flow", ratio, 1.25)])


def empty_flow() -> Any:
    """As many task runs as the flow of 80 conversations has, with nothing in them."""
    from prefect import flow, task  # noqa: PLC0415
    from prefect.utilities.annotations import quote  # noqa: PLC0415

    @task
    def single(_value: object = None) -> None:
        pass

    @task
    def first(_number: int) -> None:
        pass

    @task
    def second(_value: object) -> None:
        pass

    @flow(name="empty")
    def empty() -> None:
        single()
        single()
        values = [future.result() for future in first.map(list(range(ADDED)))]
        results = [future.result() for future in second.map(values)]
        single(quote(results))

    return empty
