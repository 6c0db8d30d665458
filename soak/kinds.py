"""The kinds of trial, and how often each is tried in a run of the usual length."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from soak import (
    clocks,
    disk_full,
    meanwhile,
    own_stack,
    prefect_faults,
    races,
    refusals,
    service_faults,
)
from soak.crashes import CRASH_POINTS, crash_at, crash_at_any_time
from soak.database_faults import BREAKS, database_breaks
from soak.local_stack import SERVICES
from soak.meanwhile import MOMENTS
from soak.pairs import FLOWS, PAIRS, name_of, raced, raced_in_prefect
from soak.s3_faults import S3Action
from soak.stage import Stage
from soak.store_faults import PLACES, multipart_upload_misbehaves, store_misbehaves
from soak.tally import Tally

T = TypeVar("T")
Run = Callable[[Stage, int], Tally]


@dataclass(frozen=True)
class Kind:
    run: Run
    """Runs the trial of this number; the same number and seed give the same trial."""
    usual: int
    unavailable: Callable[[], str | None] = lambda: None
    """Returns why this machine cannot run it, or None."""


def _at(point: str) -> Run:
    return lambda stage, number: crash_at(stage, point, number)


def _store(action: S3Action) -> Run:
    return lambda stage, number: store_misbehaves(stage, action, number)


def _database(name: str) -> Run:
    return lambda stage, number: database_breaks(stage, name, number)


def _of(run: Callable[[Stage, T, int], Tally], what: T) -> Run:
    return lambda stage, number: run(stage, what, number)


PREFECT = "Prefect: "
ALONE: dict[str, Kind] = {
    **{f"kill {point}": Kind(_at(point), 30) for point in CRASH_POINTS},
    "kill at any time": Kind(crash_at_any_time, 150),
    **{f"S3 {action}": Kind(_store(action), 20) for action in PLACES},
    "S3 in a multipart upload": Kind(multipart_upload_misbehaves, 16),
    **{f"database {name}": Kind(_database(name), 20) for name in BREAKS},
    "a foreign constraint": Kind(refusals.constraint_refuses, 24),
    "a read-only database": Kind(refusals.read_only, 12),
    "descriptors run out": Kind(refusals.no_descriptors, 24),
}
SERVICES_STRUCK: dict[str, Kind] = {
    **{f"{name} killed": Kind(_of(service_faults.killed, name), 12) for name in SERVICES},
    **{f"{name} frozen": Kind(_of(service_faults.frozen, name), 12) for name in SERVICES},
    "database turned read-only": Kind(service_faults.turned_read_only, 8),
    "power lost": Kind(service_faults.power_lost, 8),
    "disk full": Kind(disk_full.disk_full, 2, unavailable=disk_full.unavailable),
}
TOGETHER: dict[str, Kind] = {
    **{name_of(pair): Kind(_of(raced, pair), 70) for pair in PAIRS},
    **{f"source replaced {at}": Kind(_of(meanwhile.source_replaced, at), 30) for at in MOMENTS},
    "source withdrawn": Kind(meanwhile.source_withdrawn, 24),
    **{f"writer frozen {at}": Kind(_of(meanwhile.writer_frozen, at), 12) for at in MOMENTS},
    "clocks apart": Kind(clocks.clocks_apart, 18),
    "clock jumps": Kind(clocks.clock_jumps, 12),
    "4 writers, distinct": Kind(partial(races.distinct_selections, writers=races.FEW), 20),
    "4 writers, overlapping": Kind(partial(races.overlapping_selections, writers=races.FEW), 20),
    "4 writers, identical requests": Kind(partial(races.identical_requests, writers=races.FEW), 20),
    "4 creates of one name": Kind(partial(races.creates_of_one_name, writers=races.FEW), 20),
    "16 writers, distinct": Kind(races.distinct_selections, 4),
    "16 writers, overlapping": Kind(races.overlapping_selections, 4),
    "16 writers, identical requests": Kind(races.identical_requests, 4),
    "16 creates of one name": Kind(races.creates_of_one_name, 4),
    "verify while written": Kind(races.verified_meanwhile, 20),
    "storm": Kind(races.storm, 30),
}
THROUGH_PREFECT: dict[str, Kind] = {
    **{f"{PREFECT}{name}": Kind(_of(raced_in_prefect, name), 40) for name in FLOWS},
    f"{PREFECT}flow killed": Kind(prefect_faults.flow_killed, 36),
    **{f"{name} killed": Kind(_of(prefect_faults.killed, name), 6) for name in own_stack.PREFECT},
}
KINDS: dict[str, Kind] = {**ALONE, **SERVICES_STRUCK, **TOGETHER, **THROUGH_PREFECT}
