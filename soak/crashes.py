"""Trials that kill the writing process, as `kill -9` does, and retry the request."""

import time

from soak.postgres_proxy import COMMIT, DatabaseAction
from soak.s3_faults import S3Action, S3Fault
from soak.stage import Stage
from soak.tally import Tally
from soak.trial import DatabaseFault, Trial

PUT_JSON = r"^PUT .*training\.json$"
PUT_JSONL = r"^PUT .*training\.jsonl$"
HEAD_JSONL = r"^HEAD .*training\.jsonl$"
INSERT_MEMBERS = r"^INSERT INTO trainfold\.training_file_conversations"

CRASH_POINTS: dict[str, S3Fault | DatabaseFault] = {
    "before the first put": S3Fault(PUT_JSON, S3Action.KILL_BEFORE),
    "between the puts": S3Fault(PUT_JSON, S3Action.KILL_AFTER),
    "before the second put": S3Fault(PUT_JSONL, S3Action.KILL_BEFORE),
    "after both puts": S3Fault(PUT_JSONL, S3Action.KILL_AFTER),
    "before the transaction": S3Fault(HEAD_JSONL, S3Action.KILL_AFTER),
    "in the transaction": DatabaseFault(INSERT_MEMBERS, DatabaseAction.KILL_AFTER),
    "before the commit": DatabaseFault(COMMIT, DatabaseAction.KILL_BEFORE),
    "during the commit": DatabaseFault(COMMIT, DatabaseAction.KILL_SENT),
    "after the commit": DatabaseFault(COMMIT, DatabaseAction.KILL_AFTER),
}


def crash_at(stage: Stage, point: str, number: int) -> Tally:
    """Kill the writer at a named point, then retry the request."""
    trial = Trial(stage, f"kill {point}", number)
    claim = trial.base_or_create()
    fault = CRASH_POINTS[point]
    store = [fault] if isinstance(fault.action, S3Action) else []
    database = [fault] if isinstance(fault.action, DatabaseAction) else []
    with trial.behind(store, database) as front:
        trial.run(claim, front)
    trial.settle()
    return trial.tally()


def crash_at_any_time(stage: Stage, number: int) -> Tally:
    """Kill the writer at random times, up to three times, then retry the request."""
    trial = Trial(stage, "kill at any time", number)
    started = time.monotonic()
    trial.run(trial.claim(trial.conversations(2), new=True))
    usual = time.monotonic() - started
    claim = trial.claim(trial.conversations(2))
    for _ in range(trial.chance.randint(1, 3)):
        trial.run(claim, kill_after_seconds=trial.chance.uniform(0, usual))
        trial.struck += claim.last.end == "killed"
        trial.inspect()
    trial.settle()
    return trial.tally()
