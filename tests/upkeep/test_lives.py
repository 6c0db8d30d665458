"""Training files at random through their lives, beside a model of what must be left of them."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import chain
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from db.engine import reading
from db.training_files import training_file_choices
from db.versions import versions
from domain.errors import Blocked, NotFound
from domain.versions.naming import INSTALLATION_KEY
from domain.versions.record import VersionRecord
from domain.versions.retention import KeepPolicy
from operations.archive import archive, unarchive
from operations.delete import delete
from operations.keep import keep
from operations.rename import rename
from operations.sweep import sweep_store
from operations.verify import verified_content, verify_version
from storage.store import ObjectStore
from tests.asking import carry_out, request
from tests.conftest import Library, emptied_bucket
from tests.file_commands import command

NAMES = ("Spring", "spring", "שיחות אביב", "Summer talks", "S" * 120, "..")
AT_ONCE = timedelta(minutes=-1)
STEPS = 60
ENTRIES = text("""
    SELECT training_file_id, action, outcome FROM trainfold.training_file_log ORDER BY id
""")


@dataclass
class File:
    id: UUID
    name: str
    status: str = "active"
    policy: KeepPolicy = field(default_factory=KeepPolicy)
    versions: list[tuple[str, str]] = field(default_factory=list)
    """The name that each was made under, and its JSON's digest."""
    released: set[int] = field(default_factory=set)
    keys: dict[int, set[str]] = field(default_factory=dict)

    @property
    def needed_keys(self) -> set[str]:
        return {key for number in self.keys.keys() - self.released for key in self.keys[number]}


class World:
    """What somebody does, and what the model says must follow."""

    def __init__(self, engine: Engine, library: Library, store: ObjectStore, seed: int) -> None:
        self.engine, self.library, self.store = engine, library, store
        self.chance = random.Random(seed)
        self.files: dict[str, File] = {}
        """Files that are not deleted, by the key that their names share."""
        self.deleted: list[File] = []
        self.log: list[tuple[UUID | None, str, str]] = []
        self.grace = timedelta(hours=1)

    def note(self, file: File | None, action: str, outcome: str = "done") -> None:
        self.log.append((file.id if file else None, action, outcome))

    def step(self) -> None:
        name = self.chance.choice(NAMES)
        adding = (self.create, self.add, self.add, self.rename)
        ending = (self.archive, self.unarchive, self.delete, self.keep, self.maintain)
        act = self.chance.choice((*adding, *ending))
        act(name, self.files.get(name.casefold()))

    def made(self, file: File, version: VersionRecord) -> None:
        content = b"".join(verified_content(self.engine, self.store, version, "json"))
        file.versions.append((file.name, sha256(content).hexdigest()))
        file.keys[version.number] = {version.full.key, version.lines.key}
        assert version.number == len(file.versions)
        self.note(file, version.reason)

    def create(self, name: str, file: File | None) -> None:
        asked = request(name, [self.library.add()], new=True)
        if file:
            self.refused(lambda: carry_out(asked), file, "create")
            return
        version = carry_out(asked)
        file = self.files[name.casefold()] = File(version.training_file_id, name)
        self.made(file, version)

    def add(self, name: str, file: File | None) -> None:
        asked = request(name, [self.library.add()])
        if file and file.status == "active":
            self.made(file, carry_out(asked))
        else:
            self.refused(lambda: carry_out(asked), file, "add")

    def rename(self, name: str, file: File | None) -> None:
        new = self.chance.choice(NAMES)
        taken = self.files.get(new.casefold())
        if file is None or (taken and taken is not file):
            self.refused(lambda: rename(self.engine, command(name), new), file, "rename")
            return
        rename(self.engine, command(name), new)
        if file.name != new:
            self.note(file, "rename")
            del self.files[name.casefold()]
            file.name = new
            self.files[new.casefold()] = file

    def archive(self, name: str, file: File | None) -> None:
        self.set_status(name, file, "archive", "archived")

    def unarchive(self, name: str, file: File | None) -> None:
        self.set_status(name, file, "unarchive", "active")

    def set_status(self, name: str, file: File | None, action: str, status: str) -> None:
        work = archive if action == "archive" else unarchive
        if file is None:
            self.refused(lambda: work(self.engine, command(name)), file, action)
            return
        work(self.engine, command(name))
        if file.status != status:
            file.status = status
            self.note(file, action)

    def delete(self, name: str, file: File | None) -> None:
        # A name in another case is not a confirmation.
        if file and file.status == "archived" and file.name == name:
            delete(self.engine, command(name), confirmation=name)
            self.note(file, "delete")
            self.deleted.append(self.files.pop(name.casefold()))
        else:
            work = lambda: delete(self.engine, command(name), confirmation=name)  # noqa: E731
            self.refused(work, file, "delete")

    def keep(self, name: str, file: File | None) -> None:
        last = self.chance.choice((None, 1, 2, 3))
        policy = KeepPolicy(last=last, tagged=self.chance.random() < 0.3)
        if file is None:
            self.refused(lambda: keep(self.engine, command(name), policy), file, "keep")
            return
        keep(self.engine, command(name), policy)
        if file.policy != policy:
            file.policy = policy
            self.note(file, "keep")

    def maintain(self, name: str, file: File | None) -> None:  # noqa: ARG002 - as the others
        by_name = sorted(self.files.items())
        for _, each in by_name:
            if each.policy.keeps_all:
                continue
            newest = len(each.versions)
            kept_from = newest - (each.policy.last or 1) + 1
            for number in range(newest, 0, -1):
                if number < kept_from and number not in each.released:
                    each.released.add(number)
                    self.note(each, "release")
        sweep_store(self.engine, self.store, safe_age=AT_ONCE, grace=self.grace, delete=True)

    def refused(self, work, file: File | None, action: str) -> None:
        with pytest.raises((Blocked, NotFound)):
            work()
        self.note(file, action, "refused")

    def judge(self) -> None:
        """Compare what there is with the model, by the bytes."""
        with reading(self.engine) as connection:
            listed = training_file_choices(connection)
            entries = [tuple(row) for row in connection.execute(ENTRIES)]
        assert {(it.id, it.name, it.status) for it in listed} == {
            (it.id, it.name, it.status) for it in self.files.values()
        }
        assert sorted(entries, key=str) == sorted(self.log, key=str)
        for file in self.files.values():
            self.judge_file(file)
        assert self.needed_keys(self.deleted, self.files.values()) <= self.stored_keys()

    def end(self) -> None:
        """Let the grace time of deleted files end; then nothing is left that no version needs."""
        self.grace = AT_ONCE
        self.maintain("", None)
        self.deleted.clear()
        self.judge()
        assert self.stored_keys() == self.needed_keys(self.files.values())

    def stored_keys(self) -> set[str]:
        return {item.key for item in self.store.listed()} - {INSTALLATION_KEY}

    def needed_keys(self, *files: Iterable[File]) -> set[str]:
        return {key for file in chain(*files) for key in file.needed_keys}

    def judge_file(self, file: File) -> None:
        with reading(self.engine) as connection:
            records = versions(connection, file.name)
        assert [it.number for it in records] == list(range(len(file.versions), 0, -1))
        for record in records:
            name, digest = file.versions[record.number - 1]
            assert record.file_name == name
            assert (record.released_at is not None) == (record.number in file.released)
            if record.released_at is None:
                verify_version(self.engine, self.store, file.name, record.number)
                content = b"".join(verified_content(self.engine, self.store, record, "json"))
                assert sha256(content).hexdigest() == digest
            else:
                with pytest.raises(NotFound, match="was released on"):
                    verify_version(self.engine, self.store, file.name, record.number)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_done_to_files_what_is_listed_is_whole_and_the_log_is_complete(
    engine, library, training_files, seed
):
    emptied_bucket()
    world = World(engine, library, training_files, seed)
    for number in range(STEPS):
        world.step()
        if number % 10 == 9:
            world.judge()
    world.end()
    assert {action for _, action, _ in world.log} >= {"create", "add", "rename", "delete", "keep"}
