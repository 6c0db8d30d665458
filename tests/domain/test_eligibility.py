"""The gate: every rule alone, all at once, and what gets through."""

from itertools import pairwise
from uuid import UUID, uuid5

import pytest

from domain.errors import Blocked
from domain.versions.eligibility import (
    Admission,
    ConversationFacts,
    TrainingFileFacts,
    admit,
    refuse_malformed,
)
from domain.versions.requests import AddRequest
from soak.building import conversation
from tests.domain.making import FILE_ID, POOL, A, B, C, TrainingFile, facts, request

MANY = [uuid5(FILE_ID, str(n)) for n in range(81)]


FILE = TrainingFile()
FILE.add(conversation(MANY[0]))


def file_facts(status: str = "active") -> TrainingFileFacts:
    return TrainingFileFacts(status=status, current=FILE.version, last_position=1)


def judged(
    asked: AddRequest, *known: ConversationFacts, file: TrainingFileFacts | None = None
) -> Admission:
    refuse_malformed(asked)
    return admit(asked, file, {each.conversation_id: each for each in known})


def codes(
    asked: AddRequest, *known: ConversationFacts, file: TrainingFileFacts | None = None
) -> list[tuple[str | None, str]]:
    with pytest.raises(Blocked) as caught:
        judged(asked, *known, file=file)
    assert all(reason.reason for reason in caught.value.reasons)
    return [(reason.conversation_id, reason.code) for reason in caught.value.reasons]


def test_a_sound_request_is_admitted_in_its_order():
    batch = UUID(int=7)
    admission = judged(
        request(B, A),
        facts(A, batch_id=batch),
        facts(B, persona_key="anxious_planner", topic_key=""),
        file=file_facts(),
    )
    assert [each.conversation_id for each in admission.conversations] == [B, A]
    assert [each.line_suffix for each in admission.conversations] == ["bbbbbbbb", "aaaaaaaa"]
    assert [each.batch_id for each in admission.conversations] == [None, batch]
    assert admission.conversations[0].object_key == f"files/{B}.json"
    assert admission.conversations[0].row_scaffolding == {"persona_archetype": "anxious_planner"}
    assert admission.training_file == file_facts()


def test_a_new_file_is_admitted_where_there_is_none():
    assert judged(request(A, new=True), facts(A)).training_file is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"enrichment_status": "processing"}, "not-completed"),
        ({"enrichment_status": "COMPLETED"}, "not-completed"),
        ({"enrichment_status": "completed "}, "not-completed"),
        ({"enrichment_status": None}, "not-completed"),
        ({"enriched_file_path": None}, "no-enriched-file"),
        ({"enriched_file_path": "../secret.json"}, "unsafe-path"),
        ({"member_since": 2}, "already-member"),
    ],
)
def test_a_conversation_that_may_not_be_added_is_blocked(changes, code):
    assert codes(request(A), facts(A, **changes), file=file_facts()) == [(str(A), code)]


def test_the_reason_for_a_member_names_the_version_that_added_it():
    with pytest.raises(Blocked, match="since version 2"):
        judged(request(A), facts(A, member_since=2), file=file_facts())


def test_an_unknown_conversation_is_blocked():
    found = codes(request(A, B), facts(A), file=file_facts())
    assert found == [(str(B), "unknown-conversation")]


@pytest.mark.parametrize(
    ("new", "file", "code"),
    [
        (False, None, "no-such-file"),
        (True, file_facts(), "name-taken"),
        (True, file_facts(status="archived"), "name-taken"),
        (False, file_facts(status="archived"), "file-not-active"),
    ],
)
def test_the_training_file_must_fit_the_request(new, file, code):
    assert codes(request(A, new=new), facts(A), file=file) == [(None, code)]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a.json",
        "a//b.json",
        "a/",
        "../a.json",
        "a/../b.json",
        "a/..",
        "./a.json",
        "a/./b.json",
        "s3://bucket/a.json",
        "https://example.org/a.json",
        "a b.json",
        "a\\b.json",
        "a\n.json",
        "a.json\n",
        "a\x00.json",
        "größe.json",
        "a%2e%2e.json",
        "a?versionId=1",
        "a#b",
        "~/a.json:x",
        "ａ.json",
        "a" * 901,
    ],
)
def test_an_unsafe_path_is_blocked(path):
    asked, known = request(A, new=True), facts(A, enriched_file_path=path)
    assert codes(asked, known) == [(str(A), "unsafe-path")]


@pytest.mark.parametrize(
    "path", ["a", "a/b/c_d-e.f.json", "a..b.json", ".hidden", "...", "a" * 900]
)
def test_a_plain_path_is_safe(path):
    assert judged(request(A, new=True), facts(A, enriched_file_path=path))


def test_all_reasons_are_given_in_order_file_form_and_conversations():
    asked = request(A, "nonsense", B, C, A, MANY[0])
    known = [
        facts(A, enrichment_status="failed", enriched_file_path=None, member_since=1),
        facts(B, enriched_file_path="/x"),
        facts(C),
    ]
    assert codes(asked, *known, file=file_facts(status="archived")) == [
        (None, "file-not-active"),
        ("nonsense", "not-an-id"),
        (str(A), "repeated-in-request"),
        (str(A), "not-completed"),
        (str(A), "no-enriched-file"),
        (str(A), "already-member"),
        (str(B), "unsafe-path"),
        (str(MANY[0]), "unknown-conversation"),
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"training_file": ""}, "bad-name"),
        ({"training_file": "a/b"}, "bad-name"),
        ({"request_id": ""}, "bad-request-id"),
        ({"request_id": "a b"}, "bad-request-id"),
        ({"conversation_ids": ()}, "nothing-to-add"),
        ({"conversation_ids": tuple(map(str, MANY))}, "too-many"),
    ],
)
def test_a_request_out_of_form_is_blocked_before_any_query(changes, code):
    with pytest.raises(Blocked) as caught:
        refuse_malformed(request(A, **changes))
    assert [reason.code for reason in caught.value.reasons] == [code]


def test_everything_wrong_with_the_form_is_told_at_once():
    asked = request(A, A, *MANY, "?", training_file=" ", request_id="?")
    with pytest.raises(Blocked) as caught:
        refuse_malformed(asked)
    found = [reason.code for reason in caught.value.reasons]
    assert found == ["bad-name", "bad-request-id", "too-many", "not-an-id", "repeated-in-request"]


def test_80_conversations_pass():
    ids = MANY[:80]
    admission = judged(request(*ids, new=True), *map(facts, ids))
    assert [each.conversation_id for each in admission.conversations] == ids


def test_81_conversations_are_blocked_whatever_is_known_of_them():
    assert codes(request(*MANY, new=True)) == [(None, "too-many")]


@pytest.mark.parametrize(
    "text", [str(A).upper(), f" {A}\n", A.hex, A.hex.upper(), f"{{{A}}}", f"urn:uuid:{A}"]
)
def test_an_id_may_be_written_in_any_usual_way(text):
    assert judged(request(text, new=True), facts(A)).conversations[0].conversation_id == A
    found = codes(request(A, text, new=True), facts(A))
    assert found == [(str(A), "repeated-in-request")]


@pytest.mark.parametrize(
    "text", ["", " ", "aaaaaaaa", f"{A}x", "*", "' OR 1=1 --", "\x00", "x" * 10_000]
)
def test_what_is_no_id_is_named_but_not_at_length(text):
    ((name, code),) = codes(request(text, new=True))
    assert code == "not-an-id"
    assert name is not None
    assert len(name) < 100
    assert name.isprintable()


def test_a_repeated_id_is_one_reason_that_counts():
    with pytest.raises(Blocked, match="Named 3 times"):
        judged(request(A, A, A, new=True), facts(A))


def test_a_request_of_a_hundred_thousand_repeated_ids_is_answered_quickly():
    ids = [UUID(int=n) for n in range(20_000)] * 2
    with pytest.raises(Blocked) as caught:
        refuse_malformed(request(*ids))
    assert caught.value.reasons[0].code == "too-many"


def test_suffixes_keep_clear_of_members_and_of_each_other():
    members = frozenset({"aaaaaaaa"})
    known = [facts(id, suffixes_taken=members if str(id).startswith("a") else ()) for id in POOL]
    admission = judged(request(*POOL), *known, file=file_facts())
    assert [each.line_suffix for each in admission.conversations] == [
        "aaaaaaaa-0000",
        "aaaaaaaa-1111",
        "aaaaaaaa-1111-4000",
        "bbbbbbbb",
        "cccccccc",
        "cccccccc-0000",
    ]


# The digest of a request


def test_the_digest_is_the_same_however_ids_and_name_are_written():
    one, other = (
        request(A, B),
        request(str(A).upper(), f" {B.hex}", training_file=" SPRING  batch "),
    )
    assert one.digest == other.digest


def test_the_digest_tells_different_requests_apart():
    different = [
        request(A, B),
        request(B, A),
        request(A),
        request(A, B, new=True),
        request(A, B, training_file="Summer batch"),
        request(A, f"{B}x"),
    ]
    assert all(one.digest != other.digest for one, other in pairwise(different))
    assert len({each.digest for each in different}) == len(different)


@pytest.mark.parametrize("asked", [request("\ud800"), request(A, training_file="a\ud800")])
def test_a_lone_surrogate_is_a_reason_and_no_stack_trace(asked):
    assert len(asked.digest) == 64
    with pytest.raises(Blocked):
        judged(asked)
