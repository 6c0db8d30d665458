"""Any sequence of requests on one training file leaves every version as a model says it is.

To try another request, give `History` a method that makes it and tells the model, and `Histories` a
rule that calls it.
"""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from db.engine import reading
from db.versions import find_version, member_ids, versions
from domain.errors import Blocked, NotFound
from domain.versions.record import VersionRecord
from domain.versions.retention import KeepPolicy
from operations import resources
from operations.archive import archive, unarchive
from operations.keep import keep
from operations.release import release_versions
from operations.rename import rename
from operations.sweep import sweep_store
from operations.tags import tag_version, untag
from operations.verify import verified_content, verify_version
from soak.building import as_bytes, conversation
from tests.asking import carry_out, go_back, request, take_out
from tests.conftest import Library, emptied_database
from tests.file_commands import command
from tests.operations.rebuilding import rebuild

NAMES = ("שיחות אביב", "Spring", "x" * 120)
NO_TIME = timedelta(0)
SIZE = 4
"""Conversations that there are."""

Content = dict[UUID, int]
"""Which state of which conversation, in order: how many turns it has."""


@dataclass
class Model:
    """What the versions hold, kept beside them; `tags` say which one and whether it may move."""

    versions: list[Content] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """Under which name each version was made."""
    tags: dict[str, tuple[int, bool]] = field(default_factory=dict)
    released: set[int] = field(default_factory=set)
    is_archived: bool = False

    @property
    def current(self) -> Content:
        return self.versions[-1]

    def release(self, *, last: int, tagged: bool) -> None:
        """Let go of all versions but the newest, the current, the tagged and the protected."""
        held = {number for number, is_protected in self.tags.values() if tagged or is_protected}
        oldest_kept = len(self.versions) - last + 1
        self.released |= set(range(1, oldest_kept)) - held


class History:
    """One training file, and the model of it."""

    def __init__(self) -> None:
        self.engine = emptied_database()
        self.name = NAMES[0]
        self.store = resources.training_files_store()
        self.library = Library(self.engine, resources.conversations_store())
        self.ids = self.library.add_many(SIZE)
        self.sources = dict.fromkeys(self.ids, 4)
        self.model = Model()

    def made(self, version: VersionRecord, content: Content) -> None:
        self.model.versions.append(content)
        self.model.names.append(self.name)
        assert version.number == len(self.model.versions)

    @contextmanager
    def unless_archived(self) -> Iterator[None]:
        """Expect the block to be refused if the file is archived."""
        if not self.model.is_archived:
            yield
            return
        made = len(self.model.versions)
        with pytest.raises(Blocked, match="archived"):
            yield
        assert len(self.model.versions) == made

    def add(self, ids: Sequence[UUID]) -> None:
        before = self.model.current if self.model.versions else {}
        added = {id: self.sources[id] for id in ids}
        with self.unless_archived():
            version = carry_out(request(self.name, ids, new=not before))
            self.made(version, before | added)

    def remove(self, ids: Sequence[UUID]) -> None:
        kept = {id: state for id, state in self.model.current.items() if id not in ids}
        if not kept:
            with pytest.raises(Blocked, match="archive"):
                take_out(self.name, ids)
            return
        with self.unless_archived():
            self.made(take_out(self.name, ids), kept)

    def roll_back(self, to: int | str) -> None:
        number = to if isinstance(to, int) else self.model.tags[to][0]
        if number in self.model.released:
            with pytest.raises(NotFound, match="was released"):
                go_back(self.name, to)
            return
        content = self.model.versions[number - 1]
        # Order counts, which comparing dictionaries ignores.
        if list(content.items()) == list(self.model.current.items()):
            with pytest.raises(Blocked) as blocked:
                go_back(self.name, to)
            codes = {reason.code for reason in blocked.value.reasons}
            assert "nothing-to-roll-back" in codes
            return
        with self.unless_archived():
            made = go_back(self.name, to)
            assert made.restores == number
            self.made(made, dict(content))

    def enrich(self, id: UUID, turns: int) -> None:
        self.sources[id] = turns
        data = as_bytes(conversation(id, turns=turns))
        self.library.store.put(f"tests/{id}.json", data, content_type="application/json")

    def rebuild(self) -> None:
        content = {id: self.sources[id] for id in self.model.current}
        with self.unless_archived():
            rebuilt = rebuild(self.name)
            assert rebuilt.is_new == (content != self.model.current)
            if rebuilt.is_new:
                self.made(rebuilt.version, content)

    def rename(self, name: str) -> None:
        assert rename(self.engine, command(self.name), name) == name
        self.name = name

    def archive(self, *, undo: bool) -> None:
        (unarchive if undo else archive)(self.engine, command(self.name))
        self.model.is_archived = not undo

    def retain(self, *, last: int, tagged: bool) -> None:
        """Release what the policy does not keep, and remove the objects."""
        keep(self.engine, command(self.name), KeepPolicy(last=last, tagged=tagged))
        release_versions(self.engine, safe_age=NO_TIME, delete=True)
        sweep_store(self.engine, self.store, safe_age=NO_TIME, grace=NO_TIME, delete=True)
        keep(self.engine, command(self.name), KeepPolicy())
        self.model.release(last=last, tagged=tagged)

    def tag(self, number: int, name: str, *, protected: bool) -> None:
        at, is_protected = self.model.tags.get(name, (number, False))
        ask = (self.engine, self.name, str(number), name)
        if number in self.model.released:
            with pytest.raises(NotFound, match="was released"):
                tag_version(*ask, protected=protected, requested_by="a test")
            return
        if is_protected and at != number:
            with pytest.raises(Blocked, match="is protected"):
                tag_version(*ask, protected=protected, requested_by="a test")
            return
        tag_version(*ask, protected=protected, requested_by="a test")
        self.model.tags[name] = (number, protected or is_protected)

    def untag(self, name: str) -> None:
        if name not in self.model.tags:
            with pytest.raises(NotFound):
                untag(self.engine, self.name, name, requested_by="a test")
        elif self.model.tags[name][1]:
            with pytest.raises(Blocked, match="is protected"):
                untag(self.engine, self.name, name, requested_by="a test")
        else:
            untag(self.engine, self.name, name, requested_by="a test")
            del self.model.tags[name]

    def check(self) -> None:
        """Compare every version, its bytes and its tags with the model."""
        with reading(self.engine) as connection:
            listed = versions(connection, self.name)[::-1]
            held = [list(member_ids(connection, version)) for version in listed]
            assert find_version(connection, self.name, "latest") == listed[-1]
            for name, (number, _) in self.model.tags.items():
                assert find_version(connection, self.name, name).number == number
        assert held == [list(content) for content in self.model.versions]
        tags = {tag.name: (v.number, tag.is_protected) for v in listed for tag in v.tags}
        assert tags == self.model.tags
        assert [version.file_name for version in listed] == self.model.names
        released = {version.number for version in listed if version.released_at}
        assert released == self.model.released
        verify_version(self.engine, self.store, self.name)
        self.check_bytes(listed)

    def check_bytes(self, listed: Sequence[VersionRecord]) -> None:
        """Read every version that is stored; there is no other object."""
        stored = [version for version in listed if not version.released_at]
        for version in stored:
            content = self.model.versions[version.number - 1]
            full = b"".join(verified_content(self.engine, self.store, version, "json"))
            lines = b"".join(verified_content(self.engine, self.store, version, "jsonl"))
            assert states(full) == list(content.items())
            assert len(lines.splitlines()) == 1 + sum(content.values()) // 2
        keys = {it.key for version in stored for it in (version.full, version.lines)}
        assert keys <= {it.key for it in self.store.listed()}


def states(full: bytes) -> list[tuple[UUID, int]]:
    return [
        (UUID(it["conversation_metadata"]["conversation_id"]), len(it["training_pairs"]))
        for it in json.loads(full)["conversations"]
    ]


class Histories(RuleBasedStateMachine):
    """Requests in any order. Draws pick from what is there, so that few are refused."""

    @initialize(count=st.integers(2, SIZE))
    def create(self, count: int) -> None:
        self.history = History()
        self.history.add(self.history.ids[:count])

    def some(self, ids: Sequence[UUID], seed: int) -> list[UUID]:
        chosen = random.Random(seed)
        return chosen.sample(list(ids), chosen.randint(1, len(ids)))

    @property
    def absent(self) -> list[UUID]:
        return [id for id in self.history.ids if id not in self.history.model.current]

    @precondition(lambda self: self.absent)
    @rule(seed=st.integers(0, 99))
    def add(self, seed: int) -> None:
        self.history.add(self.some(self.absent, seed))

    @rule(seed=st.integers(0, 99))
    def remove(self, seed: int) -> None:
        self.history.remove(self.some(list(self.history.model.current), seed))

    @precondition(lambda self: len(self.history.model.current) > 1)
    @rule()
    def move_the_first_to_the_end(self) -> None:
        """Rolling back over this has to restore an order, not only a set."""
        first = next(iter(self.history.model.current))
        self.history.remove([first])
        self.history.add([first])

    @rule(back=st.integers(0, 9))
    def roll_back(self, back: int) -> None:
        count = len(self.history.model.versions)
        self.history.roll_back(1 + back % count)

    @precondition(lambda self: self.history.model.tags)
    @rule(at=st.integers(0, 9))
    def roll_back_to_a_tag(self, at: int) -> None:
        names = sorted(self.history.model.tags)
        self.history.roll_back(names[at % len(names)])

    @rule(at=st.integers(0, SIZE - 1), turns=st.sampled_from([2, 4, 6]))
    def enrich_and_rebuild(self, at: int, turns: int) -> None:
        self.history.enrich(self.history.ids[at], turns)
        self.history.rebuild()

    @rule(
        back=st.integers(0, 9), name=st.sampled_from(["טוב", "b.1", "B.1"]), protected=st.booleans()
    )
    def tag(self, back: int, name: str, protected: bool) -> None:
        number = 1 + back % len(self.history.model.versions)
        self.history.tag(number, name, protected=protected and name != "b.1")

    @rule(name=st.sampled_from(["טוב", "b.1", "B.1"]))
    def untag(self, name: str) -> None:
        self.history.untag(name)

    @rule(name=st.sampled_from(NAMES))
    def rename(self, name: str) -> None:
        self.history.rename(name)

    @rule()
    def archive_and_try(self) -> None:
        """Nothing can be added, removed, rolled back or rebuilt meanwhile."""
        self.history.archive(undo=False)
        self.history.remove(list(self.history.model.current)[:1])
        self.history.roll_back(1)
        self.history.rebuild()
        if self.absent:
            self.history.add(self.absent)
        self.history.archive(undo=True)

    @rule(back=st.integers(0, 9), protected=st.booleans(), last=st.integers(1, 3))
    def tag_and_retain(self, back: int, protected: bool, last: int) -> None:
        """Let a policy meet a tag, of which only a protected one holds whatever the policy says."""
        self.tag(back=back, name="B.1", protected=protected)
        self.history.retain(last=last, tagged=not protected and back % 2 == 0)

    @invariant()
    def every_version_is_as_the_model_says(self) -> None:
        self.history.check()


@pytest.mark.usefixtures("engine")
def test_any_sequence_of_requests_keeps_every_version():
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=15,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            # Shrinking would run for minutes on real services; the failing steps are printed.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
