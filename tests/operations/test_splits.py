"""Splits of real versions: stored, the same for all, and kept while the file changes."""

import random
import threading
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import Engine, text

from domain.exports.likeness import NEAR, jaccard, likeness_of
from domain.exports.splits import arcs_without_validation
from domain.versions.record import VersionRecord
from operations.splits import assigned_sides, sides_of
from soak.building import as_bytes, conversation
from storage.store import ObjectStore
from tests.asking import carry_out, request
from tests.spoken import add_spoken


def split(engine: Engine, store: ObjectStore, version: VersionRecord, fraction: float = 0.25):
    return dict(assigned_sides(engine, store, version, validation=fraction))


def test_sides_are_stored_once_and_kept_while_the_file_grows(engine, library, training_files):
    ids = [add_spoken(library, n) for n in range(24)]
    first = carry_out(request("A", ids[:8], new=True))
    sides = split(engine, training_files, first)
    assert list(sides) == ids[:8]
    assert list(sides.values()).count("validation") in {2, 3}
    second = carry_out(request("A", ids[8:]))
    grown = split(engine, training_files, second)
    assert list(grown) == ids
    assert {id: grown[id] for id in sides} == sides
    assert list(grown.values()).count("validation") in {6, 7}
    # Another fraction, and an earlier version, move nobody.
    assert split(engine, training_files, second, 0.9) == grown
    assert split(engine, training_files, first, 0.5) == sides == sides_of(engine, first)


def test_a_near_duplicate_of_an_assigned_conversation_gets_its_side(
    engine, library, training_files
):
    ids = [add_spoken(library, n) for n in range(12)]
    sides = split(engine, training_files, carry_out(request("A", ids, new=True)))
    copies = [add_spoken(library, n, changed=4) for n in range(12)]
    both = split(engine, training_files, carry_out(request("A", copies)))
    assert [both[id] for id in copies] == [sides[id] for id in ids]


def test_a_conversation_without_an_answer_has_no_side_until_it_has_one(
    engine, library, training_files
):
    id, other = uuid4(), add_spoken(library, 0)
    library.add(id, data=as_bytes(conversation(id, turns=1)))
    version = carry_out(request("A", [id, other], new=True))
    assert list(split(engine, training_files, version)) == [other]


def test_all_who_split_at_once_get_one_answer(engine, library, training_files):
    version = carry_out(request("A", [add_spoken(library, n) for n in range(20)], new=True))
    results: list[dict[UUID, str]] = []
    fractions = (0.1, 0.5, 0.3, 0.7, 0.2, 0.9)
    barrier = threading.Barrier(len(fractions))

    def assigner(fraction: float) -> None:
        barrier.wait()
        results.append(split(engine, training_files, version, fraction))

    threads = [threading.Thread(target=assigner, args=(fraction,)) for fraction in fractions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [results[0]] * len(fractions)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT DISTINCT fraction FROM trainfold.training_file_sides")
        )
        assert len(rows.all()) == 1


def test_the_rows_say_when_and_how_a_side_was_assigned(engine, library, training_files):
    version = carry_out(request("A", [add_spoken(library, 0)], new=True))
    split(engine, training_files, version, 0.1)
    with engine.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM trainfold.training_file_sides")).mappings()
    assert (row["assigned_in"], row["fraction"]) == (1, "1/10")


@pytest.mark.parametrize("seed", range(3))
def test_no_real_conversation_leaks(shared, engine, library, training_files, seed: int):
    files = sorted((shared / "corpus").glob("batch-*/*.json"))
    random.Random(seed).shuffle(files)
    for number, start in enumerate(range(0, 58, 20)):
        ids = [library.add(UUID(f.stem), data=f.read_bytes()) for f in files[start : start + 20]]
        version = carry_out(request("Corpus", ids, new=not number))
        sides = split(engine, training_files, version, 0.1)
    assert 3 <= list(sides.values()).count("validation") <= 9
    likenesses = {
        id: likeness_of(orjson.loads(library.files[id])["training_pairs"]) for id in sides
    }
    train, validation = (
        [id for id in sides if sides[id] == side] for side in ("train", "validation")
    )
    for one in train:
        for other in validation:
            assert jaccard(likenesses[one], likenesses[other]) < NEAR
            assert not set(likenesses[one].answer_digests()) & set(
                likenesses[other].answer_digests()
            )
    arcs = {id: orjson.loads(library.files[id])["training_pairs"][0]["conversation_metadata"][
        "emotional_arc_key"] for id in sides}  # fmt: skip
    assert set(arcs_without_validation(arcs, sides)) <= set(arcs.values())
