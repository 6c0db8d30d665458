"""A request as a whole has limits: what 80 conversations may cost together (invariant 13)."""

import json
import subprocess
import sys
from uuid import UUID, uuid4

import pytest

from domain.errors import Blocked
from domain.findings import Reason
from domain.source.limits import Limits
from operations import resources
from operations.add import add
from soak.building import as_bytes, conversation
from tests.asking import request
from tests.conftest import Library
from tests.hostile.kinds import many_pairs

MIB = 1024 * 1024


def reasons_of(ids: list[UUID], limits: Limits) -> tuple[Reason, ...]:
    stores = resources.conversations_store(), resources.training_files_store()
    asked = request("Too much", ids, new=True)
    with pytest.raises(Blocked) as caught:
        add(resources.engine(), *stores, asked, limits=limits)
    return caught.value.reasons


def nested(id: UUID, values: int, depth: int = 60) -> bytes:
    """A small file that swells: each value deep inside gets its white space when it is indented."""
    data = as_bytes(conversation(id))
    deep = b"[" * depth + b",".join([b"12345"] * values) + b"]" * depth
    return data.replace(b'"target_response"', b'"deep": ' + deep + b', "target_response"', 1)


def test_files_that_are_too_large_together_are_refused_before_any_is_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
):
    ids = library.add_many(3)
    total = sum(len(library.files[id]) for id in ids)

    def get(*_, **__):
        pytest.fail("a file was read")

    monkeypatch.setattr(type(library.store), "get", get)
    (reason,) = reasons_of(ids, Limits(request_bytes=total - 1))
    assert (reason.code, reason.conversation_id) == ("request-too-large", None)
    assert f"{total:,} bytes together; at most {total - 1:,}" in reason.reason


def test_a_request_that_is_exactly_as_large_as_the_limit_is_none_too_large(library: Library):
    ids = library.add_many(3)
    total = sum(len(library.files[id]) for id in ids)
    stores = resources.conversations_store(), resources.training_files_store()
    asked = request("Enough", ids, new=True)
    add(resources.engine(), *stores, asked, limits=Limits(request_bytes=total))


def test_files_that_swell_together_are_refused(library: Library):
    ids = [uuid4() for _ in range(4)]
    for id in ids:
        library.add(id, data=nested(id, 1_000, depth=50))
    (reason,) = reasons_of(ids, Limits(request_rendered_bytes=300_000))
    assert (reason.code, reason.conversation_id) == ("rendered-too-large", None)
    assert "300,000" in reason.reason


def wordy(id: UUID, words: int) -> bytes:
    """A file whose pairs each have a word of their own that the vocabulary does not know."""
    file = many_pairs(id, words)
    for number, pair in enumerate(file["training_pairs"]):
        metadata = pair["conversation_metadata"] | {"conversation_phase": f"word_{number}"}
        pair["conversation_metadata"] = metadata
    return as_bytes(file)


def test_more_warnings_than_a_curator_can_look_over_are_a_reason(library: Library):
    id, fine = uuid4(), library.add()
    library.add(id, data=wordy(id, 101))
    (reason,) = reasons_of([fine, id], Limits())
    assert (reason.code, reason.conversation_id) == ("too-many-warnings", str(id))
    assert "102 different warnings; at most 100" in reason.reason


def test_more_warnings_than_a_request_may_have_are_a_reason(library: Library):
    ids = [uuid4() for _ in range(3)]
    for id in ids:
        library.add(id, data=wordy(id, 20))
    (reason,) = reasons_of(ids, Limits(request_warnings=59))
    assert (reason.code, reason.conversation_id) == ("too-many-warnings", None)


MEMORY = """
import json, resource, sys
from uuid import UUID
from db.engine import reading
from operations import resources
from operations.admission import gate
from operations.reading import read_fragments
from tests.asking import request
ids = [UUID(text) for text in json.load(sys.stdin)]
store, limits = resources.conversations_store(), resources.settings().limits
with reading(resources.engine()) as connection:
    eligible = gate(connection, request("Measured", ids, new=True)).conversations
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fragments, reasons = read_fragments(store, eligible, limits=limits, strictness="nothing")
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([grown // 1024, [reason.code for reason in reasons]]))
"""


def measured(ids: list[UUID]) -> tuple[int, list[str]]:
    """MiB that a process grows by when it reads these conversations, and the reasons it gives."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY],
        input=json.dumps([str(id) for id in ids]),
        capture_output=True,
        text=True,
        check=True,
    )
    grown, codes = json.loads(done.stdout.splitlines()[-1])
    return grown, codes


def test_80_files_that_swell_to_gigabytes_are_refused_in_bounded_memory(library: Library):
    """Each is 0.6 MB and would be 13 MiB when indented: 1 GiB together."""
    ids = [uuid4() for _ in range(80)]
    for id in ids:
        library.add(id, data=nested(id, 100_000))
    grown, codes = measured(ids)
    assert codes == ["rendered-too-large"]
    assert grown < 700


def test_five_of_the_largest_files_are_refused_unread(library: Library):
    ids = [uuid4() for _ in range(5)]
    for id in ids:
        library.add(id, data=as_bytes(conversation(id)) + b" " * (15 * MIB))
    grown, codes = measured(ids)
    assert codes == ["request-too-large"]
    assert grown < 32
