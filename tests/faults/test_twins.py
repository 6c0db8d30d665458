"""A request that runs twice at once, as when it is retried while its first run still commits."""

import pytest

from domain.source.limits import Limits
from operations import admission
from operations.add import add
from soak.stage import Stage
from soak.trial import Trial


@pytest.mark.parametrize("new", [False, True])
def test_a_twin_that_commits_while_the_request_is_decided_on_does_not_block_it(
    stage: Stage, engine, monkeypatch: pytest.MonkeyPatch, new: bool
):
    """Invariant 5: between the look for the request's version and the gate, the version appears."""
    trial = Trial(stage, f"twins, new {new}", 0)
    if not new:
        trial.base()
    request = trial.claim(trial.conversations(1), new=new).request
    find_version = admission.version_of_request
    twins = []

    def carry_out():
        return add(stage.engine, stage.sources, stage.files, request, limits=Limits())

    def find_then_let_the_twin_commit(connection, request_id):
        found = find_version(connection, request_id)
        if not twins:
            twins.append(None)
            twins[0] = carry_out()
        return found

    monkeypatch.setattr(admission, "version_of_request", find_then_let_the_twin_commit)
    assert carry_out() == twins[0]
