"""Trials in which the object store fails while a request runs."""

import time

from soak.s3_faults import S3Action, S3Fault
from soak.stage import Stage
from soak.tally import Tally
from soak.trial import Trial
from storage.client import READ_TIMEOUT_SECONDS
from storage.multipart import UploadStrategy
from storage.store import MIB

SOURCE = r"^GET /conversation-files/"
OLD_CONTENT = r"^GET /training-files/"
PUT = r"^PUT /training-files/"
HEAD = r"^HEAD /training-files/"
ANY = ""

READS = (SOURCE, OLD_CONTENT)
BEATS_THE_CLIENT = 3
"""boto3 makes three attempts; a fault of as many reaches our own code."""

PLACES: dict[S3Action, tuple[str, ...]] = {
    S3Action.ANSWER_500: (*READS, PUT, HEAD, ANY),
    S3Action.SLOW_DOWN: (*READS, PUT, HEAD, ANY),
    S3Action.DONE_BUT_500: (PUT,),
    S3Action.RESET: (*READS, PUT, HEAD, ANY),
    S3Action.LOSE_ANSWER: (PUT,),
    S3Action.STALL: (*READS, PUT, HEAD),
    S3Action.HOLD: (*READS, PUT, HEAD),
    S3Action.TRUNCATE_ANSWER: READS,
    S3Action.TRUNCATE_REQUEST: (PUT,),
    S3Action.FLIP_REQUEST: (PUT,),
    S3Action.FLIP_ANSWER: READS,
    S3Action.DO_TWICE: (PUT,),
    S3Action.ANSWER_TWICE: (*READS, PUT, HEAD),
    S3Action.DO_LATE: (PUT,),
}


def store_misbehaves(stage: Stage, action: S3Action, number: int) -> Tally:
    """Make the store fail once, or until the client gives up; then retry the request."""
    trial = Trial(stage, f"S3 {action}", number)
    trial.base(trial.chance.randint(1, 3))
    claim = trial.claim(trial.conversations(trial.chance.randint(2, 4)))
    chance = trial.chance
    fault = S3Fault(
        # In turn, so that few trials cover all places.
        PLACES[action][number % len(PLACES[action])],
        action,
        nth=chance.randint(1, 2),
        times=chance.choice([1, BEATS_THE_CLIENT]),
        seconds=chance.uniform(0.1, 0.6),
        place=chance.random(),
    )
    with trial.behind([fault]) as front:
        timeout = 0.7 if action == S3Action.HOLD else READ_TIMEOUT_SECONDS
        trial.run(claim, front, read_timeout_seconds=timeout)
        trial.settle()
        if action == S3Action.DO_LATE:
            # The delayed request still arrives.
            time.sleep(fault.seconds)
    return trial.tally()


PARTS = r"^(POST|PUT) .*training\.json\?"
LARGE = 13 * MIB
"""Large enough for the store to copy: more than a part is left after the first part."""
MULTIPART = tuple(
    UploadStrategy(min_bytes=5 * MIB, max_bytes=8 * MIB, copies=copies) for copies in (True, False)
)


def multipart_upload_misbehaves(stage: Stage, number: int) -> Tally:
    """Strike a request of a multipart upload, or kill the writer there.

    Trials alternate between a store that copies existing content and one that cannot.
    """
    trial = Trial(stage, "S3 in a multipart upload", number)
    trial.base(padding_bytes=LARGE)
    claim = trial.claim(trial.conversations(1))
    chance = trial.chance
    actions = [
        S3Action.ANSWER_500,
        S3Action.DONE_BUT_500,
        S3Action.RESET,
        S3Action.LOSE_ANSWER,
        S3Action.TRUNCATE_REQUEST,
        S3Action.DO_TWICE,
        S3Action.KILL_BEFORE,
        S3Action.KILL_AFTER,
    ]
    fault = S3Fault(
        PARTS,
        actions[number % len(actions)],
        nth=chance.randint(1, 4),
        times=chance.choice([1, BEATS_THE_CLIENT]),
    )
    with trial.behind([fault]) as front:
        trial.run(claim, front, strategy=MULTIPART[number // len(actions) % 2])
    trial.settle()
    return trial.tally()
