"""Files of several multipart parts: the store copies what is held, and the bytes are the same."""

import random
from uuid import UUID, uuid4

import pytest

from db.engine import reading
from domain.format.full_json import BETWEEN, TAIL
from domain.source.limits import Limits
from domain.versions.layout import header
from domain.versions.validation import validate
from operations.admission import gate
from operations.verify import verify_version
from soak.building import as_bytes, conversation
from storage.store import MIB
from tests.asking import carry_out, content_of, request
from tests.conftest import Library


def add_long(library: Library, chance: random.Random) -> UUID:
    """A conversation of up to 8 MiB in each of the objects."""
    id = uuid4()
    value = conversation(id)
    value["training_pairs"][1]["note"] = chance.choice("abé") * chance.randint(9, 4 * MIB)
    return library.add(id, data=as_bytes(value))


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_adds_gives_the_bytes_of_a_full_render(
    library: Library, engine, training_files, seed
):
    chance = random.Random(seed)
    groups = [[add_long(library, chance) for _ in range(chance.randint(1, 4))] for _ in range(4)]
    ids = [id for group in groups for id in group]
    with reading(engine) as connection:
        admitted = gate(connection, request("Stepwise", ids, new=True)).conversations
    fragments = [
        validate(library.files[each.conversation_id], each, limits=Limits()) for each in admitted
    ]
    for number, group in enumerate(groups):
        version = carry_out(request("Stepwise", group, new=not number))
    assert version.full.size_bytes > 16 * MIB

    full, lines = content_of(version)
    content = BETWEEN.join(fragment.full for fragment in fragments)
    assert full == header(version, "json") + content + TAIL
    assert lines == header(version, "jsonl") + b"".join(each.lines for each in fragments)
    assert verify_version(engine, training_files, "Stepwise") == version
