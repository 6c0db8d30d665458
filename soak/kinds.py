"""The kinds of trial, and how often each is tried in a run of the usual length."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from soak import disk_full, races
from soak.crashes import CRASH_POINTS, crash_at, crash_at_any_time
from soak.database_faults import BREAKS, database_breaks
from soak.s3_faults import S3Action
from soak.stage import Stage
from soak.store_faults import PLACES, multipart_upload_misbehaves, store_misbehaves
from soak.tally import Tally

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


KINDS: dict[str, Kind] = {
    **{f"kill {point}": Kind(_at(point), 30) for point in CRASH_POINTS},
    "kill at any time": Kind(crash_at_any_time, 150),
    **{f"S3 {action}": Kind(_store(action), 20) for action in PLACES},
    "S3 in a multipart upload": Kind(multipart_upload_misbehaves, 16),
    **{f"database {name}": Kind(_database(name), 20) for name in BREAKS},
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
    "disk full": Kind(disk_full.disk_full, 2, unavailable=disk_full.unavailable),
}
