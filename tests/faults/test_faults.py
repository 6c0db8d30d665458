"""The store and the database misbehave, and many write at once; nothing is lost, torn or doubled.

The long form is `python -m soak`.
"""

import pytest

from soak import campaign
from soak.crashes import CRASH_POINTS
from soak.database_faults import BREAKS
from soak.disk_full import disk_full, unavailable
from soak.kinds import ALONE, SERVICES_STRUCK, THROUGH_PREFECT, TOGETHER
from soak.meanwhile import MOMENTS
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
TWICE = [name for name in ALONE if not name.startswith("kill ")]
ONCE = [name for name in TOGETHER if name not in LONG]
SLOW = [*(name for name in SERVICES_STRUCK if name not in LONG), *THROUGH_PREFECT]


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


@pytest.fixture(scope="module")
def slow_tallies(stage_with_prefect: Stage) -> dict[str, Tally]:
    return campaign.run(stage_with_prefect, iter([(name, 0) for name in SLOW]))


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_nothing_is_lost_when_services_are_struck(slow_tallies: dict[str, Tally], name: str):
    assert slow_tallies[name].findings == ()
    assert slow_tallies[name].trials == 1


def test_a_full_disk_changes_nothing(stage: Stage):
    if why := unavailable():
        pytest.skip(why)
    tally = disk_full(stage, 0, rounds=1)
    assert tally.findings == ()


def test_every_fault_of_the_store_is_tried():
    kills = {fault.action for fault in CRASH_POINTS.values() if isinstance(fault.action, S3Action)}
    waits = {fault.action for fault in MOMENTS.values()}
    assert {*PLACES, *kills, *waits} == set(S3Action)


def test_every_fault_of_the_database_is_tried():
    kills = {
        fault.action for fault in CRASH_POINTS.values() if isinstance(fault.action, DatabaseAction)
    }
    assert {*(action for _, action in BREAKS.values()), *kills} == set(DatabaseAction)
