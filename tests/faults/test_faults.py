"""The store and the database misbehave, and many write at once; nothing is lost, torn or doubled.

The long form is `python -m soak`.
"""

import pytest

from soak import campaign
from soak.crashes import CRASH_POINTS
from soak.database_faults import BREAKS
from soak.disk_full import disk_full, unavailable
from soak.kinds import KINDS
from soak.postgres_proxy import DatabaseAction
from soak.s3_faults import S3Action
from soak.stage import Stage
from soak.store_faults import PLACES
from soak.tally import Tally

LONG = [
    "16 writers, overlapping",
    "16 writers, identical requests",
    "16 creates of one name",
    "disk full",
]
ONCE = [
    "16 writers, distinct",
    "storm",
    *(name for name in KINDS if name.startswith("4 ")),
]
TWICE = [name for name in KINDS if not name.startswith("kill ") and name not in (*ONCE, *LONG)]


@pytest.fixture(scope="module")
def tallies(stage: Stage) -> dict[str, Tally]:
    # The slow ones first: they wait for each other most of the time.
    planned = [(name, 0) for name in ONCE]
    planned += [(name, number) for number in range(2) for name in TWICE]
    return campaign.run(stage, iter(planned))


@pytest.mark.parametrize("name", [*ONCE, *TWICE])
def test_nothing_is_lost_doubled_or_torn(tallies: dict[str, Tally], name: str):
    tally = tallies[name]
    assert tally.findings == ()
    assert tally.trials == (1 if name in ONCE else 2)
    assert tally.struck > 0


def test_a_full_disk_changes_nothing(stage: Stage):
    if why := unavailable():
        pytest.skip(why)
    tally = disk_full(stage, 0, rounds=1)
    assert tally.findings == ()


def test_every_fault_of_the_store_is_tried():
    kills = {fault.action for fault in CRASH_POINTS.values() if isinstance(fault.action, S3Action)}
    assert {*PLACES, *kills} == set(S3Action)


def test_every_fault_of_the_database_is_tried():
    kills = {
        fault.action for fault in CRASH_POINTS.values() if isinstance(fault.action, DatabaseAction)
    }
    assert {*(action for _, action in BREAKS.values()), *kills} == set(DatabaseAction)
