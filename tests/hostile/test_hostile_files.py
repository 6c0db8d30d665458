"""Hostile files end in a reason that names the conversation and the rule (invariant 13)."""

import resource
import subprocess
import sys
from uuid import uuid4

import pytest

from db.engine import reading
from db.training_files import training_file_rows
from db.versions import find_version
from domain.errors import Blocked, NotFound
from domain.findings import Reason
from domain.source.limits import Limits
from domain.versions.eligibility import EligibleConversation
from domain.versions.requests import RebuildRequest
from domain.versions.validation import validate
from operations.admission import gate
from operations.reading import read_source
from operations.rebuild import make_plan
from storage.store import ObjectStore
from tests.asking import carry_out, content_of, request
from tests.conftest import Library
from tests.hostile.kinds import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_file_is_refused_with_its_reason(kind: str):
    expected, make = KINDS[kind]
    id = uuid4()
    eligible = EligibleConversation(
        conversation_id=id, object_key="x", batch_id=None, row_scaffolding={}, line_suffix="x"
    )
    with pytest.raises(Blocked) as caught:
        validate(make(id), eligible, limits=Limits())
    assert {reason.conversation_id for reason in caught.value.reasons} == {str(id)}
    assert expected in {reason.code for reason in caught.value.reasons}


def test_there_are_more_than_80_kinds():
    assert len(KINDS) >= 80


def test_hostile_files_come_through_the_store_as_reasons(engine, library: Library):
    """All of them in requests of up to 80, fetched and validated as in a run."""
    ids = {}
    for kind, (_, make) in KINDS.items():
        id = uuid4()
        ids[library.add(id, data=make(id))] = kind
    named = list(ids)
    for part in (named[:80], named[80:]):
        with reading(engine) as connection:
            admission = gate(connection, request("Hostile", part, new=True))
        for eligible in admission.conversations:
            codes = {reason.code for reason in reasons_for(library.store, eligible)}
            assert KINDS[ids[eligible.conversation_id]][0] in codes


def reasons_for(store: ObjectStore, eligible: EligibleConversation) -> tuple[Reason, ...]:
    limits = Limits()
    try:
        data = read_source(store, eligible, max_bytes=limits.file_bytes)
        validate(data, eligible, limits=limits)
    except Blocked as blocked:
        return blocked.reasons
    return ()


def test_a_200_mb_file_is_refused_without_being_read(engine, library: Library):
    id = library.add(data=b" " * 200_000_000)
    with reading(engine) as connection:
        (eligible,) = gate(connection, request("Huge", [id], new=True)).conversations
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Blocked, match="200,000,000 bytes"):
        read_source(library.store, eligible, max_bytes=Limits().file_bytes)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


MEMORY = """
import resource, sys
from uuid import uuid4
from domain.findings import Reason
from domain.source.limits import Limits
from domain.versions.eligibility import EligibleConversation
from domain.versions.validation import validate
from soak.building import as_bytes, conversation
id = uuid4()
file = conversation(id, turns=2)
file["training_pairs"][0]["note"] = ["a word or two"] * 500_000
data = as_bytes(file)
eligible = EligibleConversation(conversation_id=id, object_key="x", batch_id=None,
                                row_scaffolding={}, line_suffix="x")
del file
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
validate(data, eligible, limits=Limits())
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(grown / len(data))
"""


def test_memory_stays_within_a_small_multiple_of_the_file():
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 12


BAD_PATHS = (
    "../conversation-files/x.json",
    "a/../../b.json",
    "/etc/passwd",
    "a//b.json",
    "./a.json",
    "s3://other-bucket/a.json",
    "https://elsewhere.example/a.json",
    "a b.json",
    "ä.json",
    "a\\b.json",
    "a?versionId=1",
    "a%2e%2e/b.json",
    "",
    "a/",
    "a\nb.json",
    "x" * 901,
)


def test_a_path_that_leaves_its_bucket_is_a_reason(engine, library: Library):
    ids = [library.add(enriched_file_path=path) for path in BAD_PATHS]
    with reading(engine) as connection, pytest.raises(Blocked) as caught:
        gate(connection, request("Paths", ids, new=True))
    found = [(reason.conversation_id, reason.code) for reason in caught.value.reasons]
    assert found == [(str(id), "unsafe-path") for id in ids]


BAD_NAMES = (
    "",
    "   ",
    "x" * 256,
    "../up",
    "a/b",
    "a\\b",
    "two\nlines",
    "bell\x07",
    "nul\x00",
    "right-to-left \u202e",
    "zero\u200bwidth",
    "\ud800",
)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_is_a_reason(name: str):
    with pytest.raises(Blocked) as caught:
        gate(None, request(name, [uuid4()], new=True))  # type: ignore[arg-type]
    assert [reason.code for reason in caught.value.reasons] == ["bad-name"]


BAD_TEXTS = ("nul \x00", "bell \x07", "escape \x1b[31m", "half \ud83d", "high \x9b", "x" * 2_001)


@pytest.mark.parametrize("text", BAD_TEXTS)
@pytest.mark.parametrize(
    ("field", "code"), [("description", "bad-description"), ("requested_by", "bad-asker")]
)
def test_a_text_that_cannot_be_kept_or_shown_is_a_reason(text: str, field: str, code: str):
    """No query is made, and nothing is written."""
    with pytest.raises(Blocked) as caught:
        gate(None, request("Talks", [uuid4()], new=True, **{field: text}))  # type: ignore[arg-type]
    assert [reason.code for reason in caught.value.reasons] == [code]


def test_a_rebuild_is_not_asked_for_by_control_characters(engine, library: Library):
    version = carry_out(request("Talks", [library.add()], new=True))
    asked = RebuildRequest(
        training_file=version.training_file, requested_by="nul \x00", request_id=str(uuid4())
    )
    with pytest.raises(Blocked, match="control characters"):
        make_plan(engine, asked)


def test_a_description_may_have_lines_and_every_script(engine, library: Library):
    text = "Two\r\nlines,\ta tab, 👩‍👩‍👧 and می‌خواهم"
    carry_out(request("Described", [library.add()], new=True, description=text))
    with reading(engine) as connection:
        (row,) = training_file_rows(connection, "Described")
    assert row.description == text


@pytest.mark.parametrize("name", ["nul\x00", "\ud800", "x" * 10_000])
def test_a_name_that_nothing_can_have_is_not_found(engine, name: str):
    with reading(engine) as connection:
        with pytest.raises(NotFound, match="no training file") as caught:
            find_version(connection, name)
        assert training_file_rows(connection, name) == []
    assert len(str(caught.value).encode()) < 400


@pytest.mark.parametrize("number", [10**20, -(10**20), 0, 2**31 - 1])
def test_a_version_that_nothing_can_have_is_not_found(engine, library: Library, number: int):
    carry_out(request("Here", [library.add()], new=True))
    with reading(engine) as connection, pytest.raises(NotFound, match="“Here” has no version"):
        find_version(connection, "Here", number)


ODD_BUT_GOOD = ("<b>bold", 'the "quoted"; DROP', "Größe ½ 文字", "100 %", "'; --", "$(id)")


@pytest.mark.parametrize("name", ODD_BUT_GOOD)
def test_an_odd_name_is_carried_as_it_is(engine, library: Library, name: str):
    version = carry_out(request(name, [library.add()], new=True))
    assert version.training_file == name
    assert name.encode() in content_of(version)[0].replace(b'\\"', b'"')
