"""A bit that flips on the way, which the store does not notice by itself (TLS would).

SeaweedFS accepts a body that differs from the signed x-amz-content-sha256; it refuses one that
differs from Content-MD5 or from an x-amz-checksum header.
"""

import pytest

from soak.s3_faults import S3Action, S3Fault
from soak.stage import Stage
from soak.store_faults import OLD_CONTENT, SOURCE
from soak.trial import Trial

CONTENT = b"One small step"
"""A text of a conversation that no rule compares with another."""


def with_fault(trial: Trial, fault: S3Fault) -> tuple[str, ...]:
    """The defects after a request met the fault, and was run again if it did not come through."""
    claim = trial.claims[-1]
    with trial.behind([fault]) as front:
        trial.run(claim, front)
    assert trial.struck
    trial.settle()
    return trial.tally().findings


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_a_bit_flipped_while_an_object_is_written_is_noticed(stage: Stage, engine, format: str):
    trial = Trial(stage, f"flip a put of the {format}", 0)
    trial.base()
    trial.claim(trial.conversations(2))
    fault = S3Fault(rf"^PUT .*training\.{format}$", S3Action.FLIP_REQUEST)
    assert with_fault(trial, fault) == ()


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_a_bit_flipped_while_old_content_is_carried_over_is_noticed(
    stage: Stage, engine, format: str
):
    trial = Trial(stage, f"flip the old {format}", 0)
    trial.base()
    trial.claim(trial.conversations(2))
    fault = S3Fault(rf"{OLD_CONTENT}.*training\.{format}$", S3Action.FLIP_ANSWER)
    assert with_fault(trial, fault) == ()


def test_a_bit_flipped_while_a_conversation_is_fetched_is_noticed(stage: Stage, engine):
    trial = Trial(stage, "flip a source", 0)
    trial.base()
    claim = trial.claim(trial.conversations(1))
    data = trial.sources[claim.ids[0]][0].data
    place = (data.index(CONTENT) + 4) / len(data)
    assert with_fault(trial, S3Fault(SOURCE, S3Action.FLIP_ANSWER, place=place)) == ()
