"""The commit loop, with a log and a store in memory (`test_contracts.py` keeps them honest)."""

from uuid import uuid4

import pytest

from domain.errors import (
    AccessRefused,
    Blocked,
    CommitConflict,
    CommitOutcomeUnknown,
    DatabaseRefused,
    ObjectMissing,
    Unreachable,
)
from domain.findings import Reason
from domain.versions.composing import Composition
from operations import committing
from operations.committing import MAX_ATTEMPTS, commit_version, store_objects
from tests.domain.making import NOW, A, B
from tests.operations.compositions import add
from tests.operations.fakes import MemoryStore, MemoryVersionLog


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(committing, "pause", lambda _attempt: None)


class Loop:
    """One request on a log and a store, and what it proposed."""

    def __init__(self) -> None:
        self.log, self.store = MemoryVersionLog(), MemoryStore()
        self.request_id = str(uuid4())
        self.proposed: list[Composition] = []

    def propose(self):
        made = self.log.version_of_request(self.request_id)
        if made:
            return made
        base = self.log.current("Spring")
        members = self.log.members(base) if base else ()
        composition = add(
            "Spring", [A], base=base, members=members, now=NOW, request_id=self.request_id
        )
        self.proposed.append(composition)
        return composition

    def run(self, **options):
        return commit_version(self.log, self.store, self.propose, **options)

    def overtake(self, _composition=None) -> None:
        """Another request commits first."""
        base = self.log.current("Spring")
        members = self.log.members(base) if base else ()
        faster = add("Spring", [uuid4()], base=base, members=members, now=NOW)
        store_objects(self.store, faster)
        hook, self.log.before_commit = self.log.before_commit, lambda _: None
        self.log.commit(faster)
        self.log.before_commit = hook

    @property
    def garbage(self) -> set[str]:
        """Keys of objects that no recorded version refers to."""
        versions = self.log.recorded
        return set(self.store.objects) - {
            key for each in versions for key in (each.full.key, each.lines.key)
        }


@pytest.fixture
def loop() -> Loop:
    return Loop()


def keys_of(composition: Composition) -> set[str]:
    return {composition.version.full.key, composition.version.lines.key}


def raising(error):
    def fail(*_arguments, **_options):
        raise error

    return fail


def test_the_objects_are_written_before_the_version_is_recorded(loop):
    seen = []
    loop.log.before_commit = lambda composition: seen.append(
        keys_of(composition) <= set(loop.store.objects)
    )
    committed = loop.run()
    assert seen == [True]
    assert loop.log.current("Spring") == committed.version
    assert loop.garbage == set()


def test_what_is_no_composition_is_returned_and_nothing_is_written(loop):
    made = loop.run().version
    before = dict(loop.store.objects)
    assert loop.run() == made
    assert loop.store.objects == before


def test_an_overtaken_request_starts_again_on_the_new_base_and_leaves_no_object(loop):
    loop.log.before_commit = lambda _: loop.overtake() if len(loop.proposed) < 3 else None
    committed = loop.run()
    assert [each.version.number for each in loop.proposed] == [1, 2, 3]
    assert committed is loop.proposed[-1]
    assert loop.garbage == set()


def test_the_loop_ends_in_words_when_others_are_always_faster(loop):
    loop.log.before_commit = loop.overtake
    with pytest.raises(CommitConflict, match=r"faster 100 times in a row\. Nothing was recorded"):
        loop.run()
    assert len(loop.proposed) == MAX_ATTEMPTS
    assert loop.garbage == set()


def test_the_loop_ends_when_its_time_is_over(loop, monkeypatch):
    moments = iter([0.0, 10.0, 3_601.0])
    monkeypatch.setattr(committing.time, "monotonic", lambda: next(moments))
    loop.log.before_commit = loop.overtake
    with pytest.raises(CommitConflict, match="faster 2 times"):
        loop.run()
    assert loop.garbage == set()


@pytest.mark.parametrize(
    "error",
    [
        DatabaseRefused("a CHECK of the application's", "app_check"),
        AccessRefused("no INSERT for this role"),
        Unreachable("gone before the commit"),
    ],
)
def test_what_is_no_race_ends_the_request_at_once_and_leaves_no_object(loop, error):
    loop.log.before_commit = raising(error)
    with pytest.raises(type(error)):
        loop.run()
    assert len(loop.proposed) == 1
    assert loop.garbage == set()


def test_a_rule_that_says_no_on_the_new_base_ends_the_loop(loop):
    def blocked_when_overtaken():
        if loop.proposed:
            raise Blocked([Reason(code="file-not-active", reason="It is archived.")])
        return loop.propose()

    loop.log.before_commit = loop.overtake
    with pytest.raises(Blocked, match="archived"):
        commit_version(loop.log, loop.store, blocked_when_overtaken)
    assert loop.garbage == set()


def test_a_lost_answer_to_a_commit_that_was_made_is_found_by_the_request(loop):
    loop.log.after_commit = raising(CommitOutcomeUnknown("died"))
    assert loop.run() == loop.log.current("Spring") == loop.proposed[0].version
    assert len(loop.proposed) == 1
    assert loop.garbage == set()


def test_after_a_commit_that_was_not_made_the_loop_goes_on_and_leaves_what_may_be_recorded(loop):
    died = iter([True, False])

    def die_once(_composition):
        if next(died):
            raise CommitOutcomeUnknown("died")

    loop.log.before_commit = die_once
    committed = loop.run()
    assert committed is loop.proposed[1]
    # The first try's objects stay: nobody knows whether the database still records them.
    assert loop.garbage == keys_of(loop.proposed[0])


def test_a_database_that_stays_away_after_dying_in_the_commit_is_told(loop, monkeypatch):
    monkeypatch.setattr(committing, "PATIENCE_SECONDS", 0)
    loop.log.before_commit = raising(CommitOutcomeUnknown("died"))
    loop.log.current_time = raising(Unreachable("away"))
    with pytest.raises(CommitOutcomeUnknown):
        loop.run()
    assert loop.garbage == keys_of(loop.proposed[0])


def test_a_database_that_comes_back_is_waited_for(loop):
    answers = iter([Unreachable("away"), Unreachable("away"), None])

    def current_time():
        if error := next(answers):
            raise error
        return NOW

    loop.log.current_time = current_time
    loop.log.after_commit = raising(CommitOutcomeUnknown("died"))
    assert loop.run() == loop.proposed[0].version


def test_a_store_that_fails_at_the_second_object_ends_the_request_uncommitted(loop):
    compose = loop.store.compose

    def fail_at_the_lines(key, segments, *, content_type):
        if key.endswith("jsonl"):
            raise Unreachable("away")
        return compose(key, segments, content_type=content_type)

    loop.store.compose = fail_at_the_lines
    with pytest.raises(Unreachable):
        loop.run()
    assert loop.log.current("Spring") is None


def test_an_object_of_another_size_than_was_sent_is_not_committed(loop):
    compose = loop.store.compose
    loop.store.compose = lambda *given, **named: compose(*given, **named) - 1
    with pytest.raises(Unreachable, match="No version was recorded"):
        loop.run()
    assert loop.log.current("Spring") is None


def test_objects_that_are_read_back_are_checked_before_the_commit(loop):
    assert isinstance(loop.run(read_back=True), Composition)


def test_damage_that_is_read_back_is_not_committed(loop):
    compose = loop.store.compose

    def damage(key, segments, *, content_type):
        size = compose(key, segments, content_type=content_type)
        loop.store.objects[key] = loop.store.objects[key].replace(b"budget", b"gadget")
        return size

    loop.store.compose = damage
    with pytest.raises(Unreachable, match="differ from the composed version"):
        loop.run(read_back=True)
    assert loop.log.current("Spring") is None
    assert loop.garbage == set()


def test_an_object_that_is_gone_when_it_is_read_back_is_not_committed(loop):
    loop.store.chunks = raising(ObjectMissing("gone"))
    with pytest.raises(ObjectMissing):
        loop.run(read_back=True)
    assert loop.log.current("Spring") is None


def test_two_requests_in_turn_end_as_one_after_another(loop):
    first = loop.run()
    other = Loop()
    other.log, other.store = loop.log, loop.store
    other.propose = lambda: add(
        "Spring", [B], base=loop.log.current("Spring"), members=first.placed, now=NOW
    )
    second = other.run()
    assert [each.conversation_id for each in loop.log.members(second.version)] == [A, B]
