"""Compare a removal and a rollback with an add of as many conversations, in one run."""

from collections.abc import Iterator
from typing import Literal
from uuid import UUID, uuid4

from benchmarks.add_cost import ADDED, Measured, add, prepare, wire_bytes
from benchmarks.measure import Figure, Meter, Report, Target, in_own_process
from db.engine import reading
from db.versions import find_version, member_ids
from domain.versions.requests import RemoveRequest, RollbackRequest
from operations import resources
from operations.diff import compare_versions
from operations.remove import remove
from operations.rollback import roll_back

Pick = Literal["one batch", "scattered"]
PICKS: tuple[Pick, ...] = ("one batch", "scattered")
MAX_CHANGED = 20
CPU_LIMIT, MEMORY_LIMIT_MB = 1.5, 64


def run(*, size: int, repeats: int) -> Report:
    """Measure each in turn on one training file, whose versions follow each other."""
    name = f"History of {size}"
    in_own_process(prepare, name, size)
    added = f"add {ADDED} to {size:,}"
    runs: dict[str, list[Measured]] = {}
    for _ in range(repeats):
        runs.setdefault(added, []).append(in_own_process(add, name))
        for pick in PICKS:
            measured = in_own_process(take_out, name, pick)
            runs.setdefault(f"remove {ADDED} of {size:,}, {pick}", []).append(measured)
            measured = in_own_process(go_back, name)
            runs.setdefault(f"roll back {size:,}, {pick}", []).append(measured)
        runs.setdefault(f"diff of {size:,}", []).append(in_own_process(compare, name))
    figures = [figure for what, measured in runs.items() for figure in _figures(what, measured)]
    return Report(figures, list(_targets(figures, added, [*runs][1:])))


def take_out(name: str, pick: Pick) -> Measured:
    """Remove conversations that stand together in the middle, or far from each other."""
    ids = _members(name)
    middle = len(ids) // 2
    chosen = ids[middle : middle + ADDED] if pick == "one batch" else ids[:: len(ids) // ADDED]
    request = RemoveRequest(
        training_file=name,
        conversation_ids=tuple(chosen[:ADDED]),
        comment="bench",
        requested_by="bench",
        request_id=str(uuid4()),
    )
    with wire_bytes() as count:
        meter = Meter()
        remove(resources.engine(), resources.training_files_store(), request)
        return Measured(meter.stop(), sum(count))


def go_back(name: str) -> Measured:
    """Roll back to the version before the current one."""
    request = RollbackRequest(
        training_file=name,
        to=str(_current(name) - 1),
        requested_by="bench",
        request_id=str(uuid4()),
    )
    with wire_bytes() as count:
        meter = Meter()
        roll_back(resources.engine(), resources.training_files_store(), request)
        return Measured(meter.stop(), sum(count))


def compare(name: str) -> Measured:
    """Compare the current version with the one before it."""
    before = str(_current(name) - 1)
    engine, store = resources.engine(), resources.training_files_store()
    with wire_bytes() as count:
        meter = Meter()
        compare_versions(engine, store, name, before, max_changed=MAX_CHANGED)
        return Measured(meter.stop(), sum(count))


def _members(name: str) -> list[UUID]:
    with reading(resources.engine()) as connection:
        return list(member_ids(connection, find_version(connection, name)))


def _current(name: str) -> int:
    with reading(resources.engine()) as connection:
        return find_version(connection, name).number


def _figures(name: str, runs: list[Measured]) -> Iterator[Figure]:
    yield Figure(f"{name}: wall", "s", tuple(run.cost.wall_seconds for run in runs))
    yield Figure(f"{name}: CPU", "s", tuple(run.cost.cpu_seconds for run in runs))
    yield Figure(f"{name}: peak memory", "MB", tuple(run.cost.peak_bytes / 1e6 for run in runs))
    yield Figure(f"{name}: wire", "MB", tuple(run.wire_bytes / 1e6 for run in runs))


def _targets(figures: list[Figure], added: str, others: list[str]) -> Iterator[Target]:
    value = {figure.name: figure.median for figure in figures}
    for other in others:
        cpu = value[f"{other}: CPU"] / value[f"{added}: CPU"]
        memory = value[f"{other}: peak memory"] - value[f"{added}: peak memory"]
        yield Target(f"CPU of {other} / of {added}", cpu, CPU_LIMIT)
        yield Target(f"peak memory of {other} - of {added}, in MB", memory, MEMORY_LIMIT_MB)
