"""The writer is killed at every step; the same request, run again, makes it good."""

import pytest

from soak import campaign
from soak.crashes import CRASH_POINTS
from soak.stage import Stage
from soak.tally import Tally

KILLS = [*(f"kill {point}" for point in CRASH_POINTS), "kill at any time"]


@pytest.fixture(scope="module")
def tallies(stage: Stage) -> dict[str, Tally]:
    planned = [(name, number) for number in range(2) for name in KILLS]
    return campaign.run(stage, iter(planned))


@pytest.mark.parametrize("kill", KILLS)
def test_nothing_is_lost_doubled_or_torn(tallies: dict[str, Tally], kill: str):
    tally = tallies[kill]
    assert tally.findings == ()
    assert tally.trials == 2
    assert tally.made >= 2


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_the_writer_really_dies(tallies: dict[str, Tally], point: str):
    assert tallies[f"kill {point}"].struck == 2
