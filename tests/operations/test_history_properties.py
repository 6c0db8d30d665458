"""Any sequence of requests on one training file leaves every version as a model says it is.

To try another request, give `History` a method that makes it and tells the model, and `Histories` a
rule that calls it.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from operations import resources
from operations.tags import tag_version, untag
from operations.verify import verified_content, verify_version
from soak.building import as_bytes, conversation
from tests.asking import carry_out, go_back, request, take_out
from tests.conftest import Library, emptied_database
from tests.operations.rebuilding import rebuild

NAME = "שיחות אביב"
SIZE = 4
"""Conversations that there are."""

Content = dict[UUID, int]
"""Which state of which conversation, in order: how many turns it has."""


@dataclass
class Model:
    """What the versions hold, kept beside them; `tags` say which one and whether it may move."""

    versions: list[Content] = field(default_factory=list)
    tags: dict[str, tuple[int, bool]] = field(default_factory=dict)

    @property
    def current(self) -> Content:
        return self.versions[-1]


class History:
    """One training file, and the model of it."""

    def __init__(self) -> None:
        self.engine = emptied_database()
        self.store = resources.training_files_store()
        self.library = Library(self.engine, resources.conversations_store())
        self.ids = self.library.add_many(SIZE)
        self.sources = dict.fromkeys(self.ids, 4)
        self.model = Model()

    def made(self, version: VersionRecord, content: Content) -> None:
        self.model.versions.append(content)
        assert version.number == len(self.model.versions)

    def add(self, ids: Sequence[UUID]) -> None:
        before = self.model.current if self.model.versions else {}
        added = {id: self.sources[id] for id in ids}
        version = carry_out(request(NAME, ids, new=not before))
        self.made(version, before | added)

    def remove(self, ids: Sequence[UUID]) -> None:
        kept = {id: state for id, state in self.model.current.items() if id not in ids}
        if not kept:
            with pytest.raises(Blocked, match="archive"):
                take_out(NAME, ids)
            return
        self.made(take_out(NAME, ids), kept)

    def roll_back(self, to: int | str) -> None:
        number = to if isinstance(to, int) else self.model.tags[to][0]
        content = self.model.versions[number - 1]
        # Order counts, which comparing dictionaries ignores.
        if list(content.items()) == list(self.model.current.items()):
            with pytest.raises(Blocked, match="nothing to roll back"):
                go_back(NAME, to)
            return
        made = go_back(NAME, to)
        assert made.restores == number
        self.made(made, dict(content))

    def enrich(self, id: UUID, turns: int) -> None:
        self.sources[id] = turns
        data = as_bytes(conversation(id, turns=turns))
        self.library.store.put(f"tests/{id}.json", data, content_type="application/json")

    def rebuild(self) -> None:
        content = {id: self.sources[id] for id in self.model.current}
        rebuilt = rebuild(NAME)
        assert rebuilt.is_new == (content != self.model.current)
        if rebuilt.is_new:
            self.made(rebuilt.version, content)

    def tag(self, number: int, name: str, *, protected: bool) -> None:
        at, is_protected = self.model.tags.get(name, (number, False))
        ask = (self.engine, NAME, str(number), name)
        if is_protected and at != number:
            with pytest.raises(Blocked, match="is protected"):
                tag_version(*ask, protected=protected, requested_by="a test")
            return
        tag_version(*ask, protected=protected, requested_by="a test")
        self.model.tags[name] = (number, protected or is_protected)

    def untag(self, name: str) -> None:
        if name not in self.model.tags:
            with pytest.raises(NotFound):
                untag(self.engine, NAME, name, requested_by="a test")
        elif self.model.tags[name][1]:
            with pytest.raises(Blocked, match="is protected"):
                untag(self.engine, NAME, name, requested_by="a test")
        else:
            untag(self.engine, NAME, name, requested_by="a test")
            del self.model.tags[name]

    def check(self) -> None:
        """Compare every version, its bytes and its tags with the model."""
        with reading(self.engine) as connection:
            listed = versions(connection, NAME)[::-1]
            held = [list(member_ids(connection, version)) for version in listed]
            assert find_version(connection, NAME, "latest") == listed[-1]
            for name, (number, _) in self.model.tags.items():
                assert find_version(connection, NAME, name).number == number
        assert held == [list(content) for content in self.model.versions]
        tags = {tag.name: (v.number, tag.is_protected) for v in listed for tag in v.tags}
        assert tags == self.model.tags
        verify_version(self.engine, self.store, NAME)
        for version, content in zip(listed, self.model.versions, strict=True):
            full = b"".join(verified_content(self.engine, self.store, version, "json"))
            lines = b"".join(verified_content(self.engine, self.store, version, "jsonl"))
            assert states(full) == list(content.items())
            assert len(lines.splitlines()) == 1 + sum(content.values()) // 2


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
