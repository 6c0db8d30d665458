"""A request that runs twice at once, as when it is retried while its first run still commits."""

import pytest

import db.gate
from soak.stage import Stage
from soak.trial import Trial
from soak.worker import carry_out


@pytest.mark.parametrize("new", [False, True])
def test_a_twin_that_commits_while_the_request_is_decided_on_does_not_block_it(
    stage: Stage, engine, monkeypatch: pytest.MonkeyPatch, new: bool
):
    """Invariant 5: between the look for the request's version and the gate, the version appears."""
    trial = Trial(stage, f"twins, new {new}", 0)
    if not new:
        trial.base()
    request = trial.claim(trial.conversations(1), new=new).request
    find_request = db.gate.find_request
    twins = []

    def find_then_let_the_twin_commit(connection, asked):
        found = find_request(connection, asked)
        if not twins:
            twins.append(None)
            twins[0] = carry_out(stage.engine, stage.sources, stage.files, request)
        return found

    monkeypatch.setattr(db.gate, "find_request", find_then_let_the_twin_commit)
    assert carry_out(stage.engine, stage.sources, stage.files, request) == twins[0]
