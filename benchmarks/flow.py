"""Compare the flow of 80 conversations with an empty flow of the same shape, on the same server.

A call of a flow returns when its heartbeat thread ends, which checks once a second whether to stop.
So the run time that Prefect records is measured as well as the duration of the call.
"""

import time
from typing import Any
from uuid import UUID, uuid4

from benchmarks import content
from benchmarks.measure import Figure, Report, Target, in_own_process
from trainfold.cli import prefect

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

    def timed(work: Any, run: int) -> tuple[float, float]:
        start = time.perf_counter()
        state = work(run)
        assert state.is_completed(), state  # noqa: S101
        seconds = time.perf_counter() - start
        # The server processes the events of a run for some seconds after it ends.
        time.sleep(8)
        return seconds, _running_seconds(state.state_details.flow_run_id)

    timed(lambda _: empty(return_state=True), 0)
    timed(ours, 0)
    runs = [
        (timed(ours, number), timed(lambda _: empty(return_state=True), number))
        for number in range(1, repeats + 1)
    ]
    kinds = ("flow of 80 conversations", "empty flow of the same shape")
    figures = [
        Figure(f"{kind}: {what}", "s", tuple(run[at][part] for run in runs))
        for part, what in enumerate(("call", "running"))
        for at, kind in enumerate(kinds)
    ]
    called, empty_called, running, empty_running = (figure.median for figure in figures)
    return Report(
        figures,
        [
            Target("flow of 80 / empty flow, calls", called / empty_called, 1.25),
            Target("flow of 80 / empty flow, running", running / empty_running, 1.25),
        ],
    )


def _running_seconds(run_id: UUID) -> float:
    """Return the seconds that the run spent in the state Running."""
    run = prefect.api().get(f"/flow_runs/{run_id}")
    return float(run["total_run_time"])


def empty_flow() -> Any:
    """Define a flow with as many task runs as that of 80 conversations, which do nothing."""
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
