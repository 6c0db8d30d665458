"""What a crash leaves, before anything is run again."""

import pytest

from soak.crashes import CRASH_POINTS
from soak.evidence import look
from soak.s3_faults import S3Action
from soak.stage import Stage
from soak.trial import Trial
from soak.worker import End

DONE = {"during the commit", "after the commit"}
OBJECTS = {
    "before the first put": 0,
    "between the puts": 1,
    "before the second put": 1,
    "after both puts": 2,
    "before the transaction": 2,
    "in the transaction": 2,
    "before the commit": 2,
}


def crashed(stage: Stage, engine, point: str) -> Trial:
    trial = Trial(stage, f"crash {point}", 0)
    trial.base()
    fault = CRASH_POINTS[point]
    faults = {"store" if isinstance(fault.action, S3Action) else "database": [fault]}
    with trial.behind(**faults) as front:
        outcome = trial.run(trial.claim(trial.conversations(2)), front)
    assert outcome.end == End.KILLED
    return trial


def objects_of(stage: Stage, trial: Trial) -> list[str]:
    seen = look(stage.engine, trial.name)
    assert seen is not None
    return [item.key for item in stage.files.listed() if item.key.startswith(f"{seen.id}/v000002")]


@pytest.mark.parametrize("point", OBJECTS)
def test_before_the_commit_the_old_version_is_current(stage: Stage, engine, point: str):
    trial = crashed(stage, engine, point)
    seen = look(stage.engine, trial.name)
    assert seen is not None
    assert seen.current_version == 1
    assert len(objects_of(stage, trial)) == OBJECTS[point]
    trial.inspect()
    assert trial.findings == []


def test_after_the_commit_the_new_version_is_current_though_nobody_was_told(stage: Stage, engine):
    trial = crashed(stage, engine, "after the commit")
    seen = look(stage.engine, trial.name)
    assert seen is not None
    assert seen.current_version == 2
    before = objects_of(stage, trial)
    trial.settle()
    assert trial.claims[-1].last.number == 2
    assert objects_of(stage, trial) == before
    assert trial.tally().findings == ()
