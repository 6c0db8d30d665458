import pytest

from soak import crew
from soak.s3_faults import S3Action, S3Fault
from soak.stage import Stage
from soak.trial import Trial
from soak.worker import End, Job


def test_a_worker_makes_a_version_and_tells_its_number(stage: Stage, engine):
    trial = Trial(stage, "worker", 0)
    assert trial.run(trial.claim(trial.conversations(2), new=True)).number == 1


def test_a_worker_tells_why_it_was_blocked(stage: Stage, engine):
    trial = Trial(stage, "blocked", 0)
    outcome = trial.run(trial.claim(trial.conversations(1)))
    assert (outcome.end, outcome.codes) == (End.BLOCKED, ("no-such-file",))


def test_a_worker_over_its_deadline_is_killed_and_counts_as_hung(
    stage: Stage, engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crew, "DEADLINE_SECONDS", 1.0)
    trial = Trial(stage, "hung", 0)
    trial.base()
    with trial.behind([S3Fault("^PUT", S3Action.HOLD)]) as front:
        outcome = trial.run(trial.claim(trial.conversations(1)), front)
    assert outcome.end == End.HUNG
    tally = trial.tally()
    # It never came through either, as nobody ran it again.
    assert (tally.hung, tally.lost) == (1, 1)


def test_a_worker_that_dies_of_itself_was_not_killed(stage: Stage, engine):
    trial = Trial(stage, "dies", 0)
    worker = stage.crew.start(Job(trial.claim(trial.conversations(1)).request, stage.services))
    worker.go()
    worker._process.terminate()
    assert worker.outcome().end == End.BROKEN
