"""Measure a backfill of thousands of conversations by the flow `add-matching`, in both forms."""

from typing import Any
from uuid import uuid4

from sqlalchemy import text

from benchmarks import content
from benchmarks.measure import Cost, Figure, Meter, Report, Target, in_own_process
from operations import resources

MAX_SECONDS = 90


def run(*, conversations: int, repeats: int) -> Report:
    in_own_process(prepare, conversations)
    forms = {"one version": True, "one for each 80": False}
    costs: dict[str, list[Cost]] = {form: [] for form in forms}
    for _ in range(repeats):
        for form, one_version in forms.items():
            costs[form].append(in_own_process(add, one_version))
    figures = [
        figure
        for form, measured in costs.items()
        for figure in (
            Figure(f"{form}: wall", "s", tuple(cost.wall_seconds for cost in measured)),
            Figure(f"{form}: CPU", "s", tuple(cost.cpu_seconds for cost in measured)),
            Figure(f"{form}: peak", "MB", tuple(cost.peak_bytes / 1e6 for cost in measured)),
        )
    ]
    targets = [
        Target(f"seconds for {conversations:,}, {form}", figures[3 * at].median, MAX_SECONDS)
        for at, form in enumerate(forms)
    ]
    return Report(figures, targets)


def prepare(conversations: int) -> None:
    content.stored(conversations)
    with resources.engine().begin() as connection:
        connection.execute(text("ANALYZE"))


def add(one_version: bool) -> Cost:
    from flows.add_matching import add_matching  # noqa: PLC0415 - in its own process

    meter = Meter()
    state: Any = add_matching(
        f"Backfill {uuid4()}",
        ["status=completed"],
        new=True,
        one_version=one_version,
        return_state=True,
    )
    cost = meter.stop()
    assert state.name == "Completed", state  # noqa: S101
    return cost
