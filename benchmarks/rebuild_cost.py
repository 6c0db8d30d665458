"""Measure rebuilds of large files of which one conversation in a hundred has changed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from benchmarks import content
from benchmarks.measure import Cost, Figure, Meter, Report, Target, in_own_process
from domain.versions.requests import AddRequest
from operations import resources
from operations.add import make_version

CHANGED_ONE_IN = 100


def run(*, sizes: tuple[int, ...], repeats: int) -> Report:
    costs: dict[int, list[Cost]] = {}
    for size in sizes:
        name = f"Rebuilt {size}"
        ids = in_own_process(prepare, name, size)
        for number in range(repeats):
            in_own_process(change, ids[::CHANGED_ONE_IN], number)
            costs.setdefault(size, []).append(in_own_process(rebuild, name))
    figures = [figure for size in sizes for figure in _figures(size, costs[size])]
    peaks = {size: figures[3 * at + 1].median for at, size in enumerate(sizes)}
    first, last = sizes[0], sizes[-1]
    growth = peaks[last] - peaks[first]
    what = f"peak memory of a rebuild of {last:,} - of {first:,}, in MB"
    return Report(figures, [Target(what, growth, 128)])


def _figures(size: int, costs: list[Cost]) -> list[Figure]:
    name = f"rebuild of {size:,}"
    return [
        Figure(f"{name}: speed", "/s", tuple(size / cost.wall_seconds for cost in costs)),
        Figure(f"{name}: peak memory", "MB", tuple(cost.peak_bytes / 1e6 for cost in costs)),
        Figure(f"{name}: CPU", "s", tuple(cost.cpu_seconds for cost in costs)),
    ]


def prepare(name: str, size: int) -> list[UUID]:
    """Make a training file whose sources are in the bucket; return its conversations' ids."""
    ids = content.stored(size)
    request = AddRequest(
        training_file=name,
        conversation_ids=tuple(ids),
        new=True,
        requested_by="bench",
        request_id=str(uuid4()),
    )
    fragments = [content.fragment(id) for id in ids]
    make_version(
        resources.engine(),
        resources.training_files_store(),
        request,
        fragments,
        max_conversations=size,
    )
    return ids


def change(ids: Sequence[UUID], number: int) -> None:
    """Replace the sources of these conversations."""
    store = resources.conversations_store()
    seen = f'"seen": {number}, "reviewer_notes": '.encode()
    for id in ids:
        data = content.conversation_file(id).replace(b'"reviewer_notes": ', seen)
        store.put(f"bench/{id}.json", data, content_type="application/json")


def rebuild(name: str) -> Cost:
    from flows.rebuild import rebuild_training_file  # noqa: PLC0415 - in its own process

    meter = Meter()
    state: Any = rebuild_training_file(name, return_state=True)
    cost = meter.stop()
    assert state.name == "Completed", state  # noqa: S101
    return cost
