"""The judge sees each defect: it is planted in a sound file, and must be counted."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from soak.evidence import FileSeen, look
from soak.judge import about_claims, about_rows
from soak.stage import Stage
from soak.tally import Flaw
from soak.trial import Trial
from soak.worker import End, RequestOutcome


@pytest.fixture
def trial(stage: Stage, engine) -> Trial:
    """A training file of two versions with two conversations each; all is sound."""
    trial = Trial(stage, "judge", 0)
    trial.base(2)
    trial.make(trial.claim(trial.conversations(2)))
    return trial


def seen_of(trial: Trial) -> FileSeen:
    seen = look(trial.stage.engine, trial.name)
    assert seen is not None
    return seen


def execute(trial: Trial, statement: str, **values: Any) -> None:
    with trial.stage.engine.begin() as connection:
        connection.execute(text(statement), {"id": seen_of(trial).id, **values})


def rewrite(trial: Trial, format: str, change: Callable[[bytes], bytes]) -> None:
    """Another object for version 2, with a row that says that it must be so."""
    version = seen_of(trial).versions[1]
    key = version[f"{format}_key"]
    data = change(trial.stage.files.get(key, max_bytes=10_000_000))
    trial.stage.files.put(key, data, content_type="text/plain")
    execute(
        trial,
        f"UPDATE trainfold.training_file_versions SET {format}_size_bytes = :size "
        "WHERE training_file_id = :id AND number = 2",
        size=len(data),
    )


def conversations(change: Callable[[list[Any]], Any]) -> Callable[[bytes], bytes]:
    """A change to the conversations of a full JSON."""

    def changed(data: bytes) -> bytes:
        value = json.loads(data)
        change(value["conversations"])
        return json.dumps(value).encode()

    return changed


def test_a_sound_file_has_no_defect(trial: Trial):
    tally = trial.tally()
    assert tally.findings == ()
    assert (tally.flaws, tally.made, tally.blocked) == (0, 2, 0)


def test_a_conversation_that_is_missing_in_the_json_is_lost(trial: Trial):
    rewrite(trial, "json", conversations(lambda held: held.pop(1)))
    assert trial.tally().lost == 1


def test_a_conversation_without_a_membership_is_lost(trial: Trial):
    gone = trial.claims[1].ids[0]
    execute(
        trial,
        "DELETE FROM trainfold.training_file_conversations "
        "WHERE training_file_id = :id AND conversation_id = :gone",
        gone=gone,
    )
    assert trial.tally().lost == 1


def test_a_version_that_was_acknowledged_and_is_not_there_is_lost(trial: Trial):
    claim = trial.claim(trial.conversations(1))
    claim.outcomes.append(RequestOutcome(End.MADE, number=3))
    assert trial.tally().lost == 1


def test_a_request_that_never_comes_through_is_lost(trial: Trial):
    claim = trial.claim(trial.conversations(1))
    claim.outcomes.append(RequestOutcome(End.FAILED, text="Unreachable: …"))
    assert trial.tally().lost == 1


def test_a_request_that_is_blocked_for_no_reason_is_lost(trial: Trial):
    claim = trial.claim(trial.conversations(1))
    claim.outcomes.append(RequestOutcome(End.BLOCKED, codes=("already-member",)))
    assert trial.tally().lost == 1


def test_a_request_that_made_its_version_and_is_told_that_it_is_blocked_is_lost(trial: Trial):
    trial.claims[1].outcomes.append(RequestOutcome(End.BLOCKED, codes=("already-member",)))
    assert trial.tally().lost == 1


def test_a_request_that_is_rightly_blocked_is_no_defect(trial: Trial):
    outcome = trial.run(trial.claim([*trial.conversations(1), trial.claims[0].ids[0]]))
    assert outcome.end == End.BLOCKED
    tally = trial.tally()
    assert (tally.flaws, tally.blocked) == (0, 1)


def test_a_conversation_twice_in_one_version_is_doubled(trial: Trial):
    rewrite(trial, "json", conversations(lambda held: held.append(held[0])))
    tally = trial.tally()
    assert tally.doubled == 1
    assert tally.lost == 0


def test_example_lines_twice_in_one_version_are_doubled(trial: Trial):
    rewrite(trial, "jsonl", lambda data: data + data.splitlines(keepends=True)[1])
    assert trial.tally().doubled == 1


def test_a_version_of_no_request_is_doubled(trial: Trial):
    trial.claims.pop()
    assert trial.tally().doubled == 1


def test_two_versions_of_one_request_are_doubled(trial: Trial):
    seen = seen_of(trial)
    twice = FileSeen(
        id=seen.id,
        current_version=3,
        versions=(*seen.versions, {**seen.versions[1], "number": 3}),
        members=seen.members,
    )
    flaws = [finding.flaw for finding in about_claims(twice, trial.claims, settled=True)]
    assert flaws == [Flaw.DOUBLED]
    # They share their objects, too.
    assert {finding.flaw for finding in about_rows(twice)} == {Flaw.DOUBLED}


def test_a_request_that_is_told_two_versions_is_doubled(trial: Trial):
    trial.claims[1].outcomes.append(RequestOutcome(End.MADE, number=1))
    assert trial.tally().doubled == 1


def test_a_flipped_bit_is_torn(trial: Trial):
    key = seen_of(trial).versions[1]["json_key"]
    data = bytearray(trial.stage.files.get(key, max_bytes=10_000_000))
    data[len(data) // 2] ^= 1
    trial.stage.files.put(key, bytes(data), content_type="text/plain")
    assert trial.tally().torn > 0


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_a_missing_object_is_torn(trial: Trial, format: str):
    trial.stage.files.delete(seen_of(trial).versions[0][f"{format}_key"])
    assert trial.tally().torn == 1


def test_a_json_and_a_jsonl_that_disagree_are_torn(trial: Trial):
    rewrite(trial, "jsonl", lambda data: data.replace(b"number today", b"figure today", 1))
    findings = trial.tally().findings
    assert any("JSON and JSONL of version 2 disagree" in finding for finding in findings)


def test_a_first_line_that_announces_another_number_is_torn(trial: Trial):
    rewrite(trial, "jsonl", lambda data: data.replace(b'"total_pairs":', b'"total_pairs":1', 1))
    assert any("announces" in finding for finding in trial.tally().findings)


def test_conversations_in_another_order_are_torn(trial: Trial):
    rewrite(trial, "json", conversations(lambda held: held.reverse()))
    assert any("are in another order" in finding for finding in trial.tally().findings)


def test_a_conversation_that_is_not_as_its_source_is_torn(trial: Trial):
    conversation_id = trial.claims[0].ids[0]
    (source,) = trial.sources[conversation_id]
    other = replace(source, data=source.data.replace(b"What should I", b"What could I"))
    trial.sources[conversation_id] = [other]
    assert any("differs from its source" in finding for finding in trial.tally().findings)


def test_a_conversation_that_nobody_asked_for_is_torn(trial: Trial):
    stranger = {"conversation_metadata": {"conversation_id": str(uuid4())}, "training_pairs": []}
    rewrite(trial, "json", conversations(lambda held: held.append(stranger)))
    assert any("no request named it" in finding for finding in trial.tally().findings)


def test_a_pointer_without_a_version_is_torn(trial: Trial):
    execute(trial, "UPDATE trainfold.training_files SET current_version = 9 WHERE id = :id")
    assert any("version 9 is current" in finding for finding in trial.tally().findings)


def test_a_version_that_is_not_pointed_at_is_torn(trial: Trial):
    execute(trial, "UPDATE trainfold.training_files SET current_version = 1 WHERE id = :id")
    assert any("version 1 is current" in finding for finding in trial.tally().findings)


def test_a_wrong_statistic_is_torn_by_the_product_s_own_check(trial: Trial):
    execute(
        trial,
        "UPDATE trainfold.training_file_versions SET pair_count = pair_count + 1 "
        "WHERE training_file_id = :id AND number = 2",
    )
    assert trial.tally().torn == 1


def test_a_hung_and_a_broken_request_are_counted(trial: Trial):
    for end in (End.HUNG, End.BROKEN):
        trial.claims[1].outcomes.insert(0, RequestOutcome(end, text="…"))
    tally = trial.tally()
    assert (tally.hung, tally.broken, tally.flaws) == (1, 1, 2)


def test_the_label_of_a_finding_says_how_to_run_the_trial_again(trial: Trial):
    execute(trial, "UPDATE trainfold.training_files SET current_version = 9 WHERE id = :id")
    assert all(finding.startswith("judge #0 of seed 1: ") for finding in trial.tally().findings)


def test_the_same_seed_and_number_give_the_same_conversations(stage: Stage, engine):
    def ids(number: int) -> list[UUID]:
        return [Trial(stage, "seed", number).chance.uuid() for _ in range(2)]

    assert ids(0) == ids(0)
    assert ids(0) != ids(1)


def test_keys_in_another_order_are_torn(trial: Trial):
    def sort_pairs(data: bytes) -> bytes:
        value = json.loads(data)
        for each in value["conversations"]:
            each["training_pairs"] = [dict(sorted(pair.items())) for pair in each["training_pairs"]]
        return json.dumps(value).encode()

    rewrite(trial, "json", sort_pairs)
    assert any("differs from its source" in finding for finding in trial.tally().findings)


def test_an_older_state_of_a_source_in_a_later_version_is_stale(trial: Trial):
    conversation_id = trial.claims[0].ids[0]
    older = trial.replace_source(conversation_id)
    trial.make(trial.claim_rebuild())
    # Judged as if what version 3 holds were older than what versions 1 and 2 hold.
    trial.sources[conversation_id] = [older, trial.sources[conversation_id][0]]
    assert trial.tally().stale == 1


def test_a_rebuild_that_misses_a_change_is_stale(trial: Trial):
    trial.replace_source(trial.claims[0].ids[0])
    trial.expects_newest = True
    assert trial.tally().stale == 1


def test_a_warning_that_nobody_planted_is_wrong(trial: Trial):
    warning = {"conversation_id": str(uuid4()), "code": "cut-off", "path": "a", "count": 1}
    execute(
        trial,
        "UPDATE trainfold.training_file_versions SET warnings = CAST(:warnings AS json) "
        "WHERE training_file_id = :id AND number = 2",
        warnings=json.dumps([{**warning, "message": "…"}]),
    )
    assert any("which it did not read" in finding for finding in trial.tally().findings)


def test_an_object_that_was_left_without_a_fault_is_stale(trial: Trial):
    request_id = trial.claims[1].request.request_id
    key = f"{seen_of(trial).id}/v000003-{request_id}.deadbeef/training.json"
    trial.stage.files.put(key, b"{}", content_type="application/json")
    tally = trial.tally()
    assert tally.stale == 1
    assert key not in {item.key for item in trial.stage.files.listed()}


def test_a_request_that_fails_without_a_fault_is_broken(trial: Trial):
    trial.claims[1].outcomes.insert(0, RequestOutcome(End.FAILED, text="DatabaseRefused: …"))
    assert trial.tally().broken == 1
