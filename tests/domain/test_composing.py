"""Composing the next version, by splicing (invariants 2, 6, 7, 9, 10)."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Blocked
from domain.format.full_json import utc_text
from domain.format.spans import Span
from domain.versions.changes import compose_add
from domain.versions.naming import normal_name
from soak.building import conversation, profile
from tests.domain.making import (
    FILE_ID,
    NOW,
    POOL,
    A,
    B,
    C,
    TrainingFile,
    exactly,
    fragment_of,
    id_of,
    request,
    several,
    steady,
)


def built(*requests: list[dict[str, Any]]) -> TrainingFile:
    """A training file after these requests, one after another."""
    file = TrainingFile()
    for values in requests:
        file.add(*values)
    return file


@st.composite
def split_up(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    """Conversations as several requests in a row."""
    values = draw(several())
    cuts = draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    requests: list[list[dict[str, Any]]] = [[]]
    for value, cut in zip(values, cuts, strict=True):
        if cut and requests[-1]:
            requests.append([])
        requests[-1].append(value)
    return requests


@settings(steady, max_examples=60)
@given(split_up())
def test_one_after_another_gives_the_same_bytes_as_all_at_once(requests):
    stepwise = built(*requests)
    at_once = built([value for values in requests for value in values])
    assert stepwise.content == at_once.content
    assert stepwise.example_lines == at_once.example_lines
    assert stepwise.lines == at_once.lines
    assert stepwise.version.statistics == at_once.version.statistics
    # The headers differ in nothing but the time of the last update.
    heads = [file.value["training_file_metadata"] for file in (stepwise, at_once)]
    assert exactly(heads[0] | {"last_updated": ""}) == exactly(heads[1] | {"last_updated": ""})


@settings(steady, max_examples=60)
@given(split_up())
def test_both_documents_hold_the_same_conversations_in_the_order_of_adding(requests):
    file = built(*requests)
    ids = [str(id_of(value)) for values in requests for value in values]
    held = file.value["conversations"]
    assert [each["conversation_metadata"]["conversation_id"] for each in held] == ids
    meta, *lines = [orjson.loads(line) for line in file.lines.splitlines()]
    assert list(dict.fromkeys(line["conversation_id"] for line in lines)) == [
        each["conversation_metadata"]["conversation_id"]
        for each in held
        if any(pair["target_response"] for pair in each["training_pairs"])
    ]
    assert meta["_meta"]["total_pairs"] == len(lines)
    assert len({line["id"] for line in lines}) == len(lines)


@settings(steady, max_examples=60)
@given(split_up())
def test_the_recorded_places_and_sizes_are_true(requests):
    file = built(*requests)
    for composition, version in zip(file.compositions, file.versions, strict=True):
        full, lines = file.objects[version.full.key], file.objects[version.lines.key]
        sizes = (composition.full.size_bytes, composition.lines.size_bytes)
        assert (len(full), len(lines)) == sizes
        assert (len(full), len(lines)) == (version.full.size_bytes, version.lines.size_bytes)
        content = full[composition.full.content_start : composition.full.content_end]
        assert orjson.loads(b"[" + content + b"]") == orjson.loads(full)["conversations"]
        assert lines[: composition.lines.content_start].count(b"\n") == 1
        assert composition.lines.content_end == len(lines)
        assert all(orjson.loads(line) for line in lines.splitlines())


def recomputed(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Quality summary and distribution from the pairs in a full file, by other means."""
    pairs = [pair for each in value["conversations"] for pair in each["training_pairs"]]
    scores = [Fraction(str(pair["training_metadata"]["quality_score"])) for pair in pairs]
    reviewed = sum(pair["training_metadata"]["human_reviewed"] for pair in pairs)
    keys = {
        "personas": "persona_archetype",
        "emotional_arcs": "emotional_arc_key",
        "training_topics": "training_topic_key",
    }
    words = {
        name: [
            each["training_pairs"][0]["conversation_metadata"][key]
            for each in value["conversations"]
        ]
        for name, key in keys.items()
    }
    return (
        {
            "avg_quality_score": pytest.approx(float(sum(scores) / len(scores)), rel=1e-15),
            "min_quality_score": float(min(scores)),
            "max_quality_score": float(max(scores)),
            "human_reviewed_count": reviewed,
            "human_reviewed_percentage": pytest.approx(100 * reviewed / len(pairs), rel=1e-15),
        },
        {name: {word: listed.count(word) for word in listed} for name, listed in words.items()},
    )


@settings(steady, max_examples=60)
@given(split_up())
def test_the_headers_numbers_equal_a_recomputation_from_the_pairs(requests):
    value = built(*requests).value
    metadata = value["training_file_metadata"]
    assert (metadata["quality_summary"], metadata["scaffolding_distribution"]) == recomputed(value)
    assert metadata["total_conversations"] == len(value["conversations"])
    assert metadata["total_training_pairs"] == sum(
        len(each["training_pairs"]) for each in value["conversations"]
    )


def test_a_score_beyond_a_doubles_short_form_is_summed_as_written():
    value = conversation(A, turns=2, score=1.0000000000000002)
    assert built([value]).version.statistics.quality_sum == Decimal("2.0000000000000004")


def test_adding_never_looks_at_what_the_file_holds():
    file = built([conversation(A)])
    for key in (file.version.full.key, file.version.lines.key):
        file.objects[key] = b"\xff" * len(file.objects[key])
    old = (
        len(file.full),
        file.version.full.content_start,
        file.version.full.content_end,
    )
    file.add(conversation(B))
    garbage = b"\xff" * (old[2] - old[1])
    assert file.content.startswith(garbage + b",\n    {")
    new = orjson.loads(file.full.replace(garbage + b",", b""))
    assert len(new["conversations"]) == 1
    assert file.example_lines.startswith(b"\xff")


def test_the_old_content_is_a_span_and_never_bytes():
    file = built([conversation(A)])
    composition = file.add(conversation(B))
    first = file.versions[0]
    assert [segment for segment in composition.full.segments if isinstance(segment, Span)] == [
        Span(first.full.key, first.full.content_start, first.full.content_end)
    ]
    assert sum(isinstance(segment, Span) for segment in composition.lines.segments) == 1


def test_conversations_without_examples_leave_no_trace_in_the_lines():
    file = built([conversation(A, turns=1)], [conversation(B, turns=1)], [conversation(C)])
    assert len(file.lines.splitlines()) == 1 + 2
    assert all(
        len(segment) for composition in file.compositions for segment in composition.lines.segments
    )
    assert file.version.pair_count == 6


def test_a_document_has_its_layout():
    text = built([conversation(A)], [conversation(B)]).full.decode()
    assert text.startswith('{\n  "training_file_metadata": {\n    "file_name": "Spring batch",\n')
    assert '\n  "conversations": [\n    {\n      "conversation_metadata": {\n' in text
    assert "\n    },\n    {\n" in text
    assert text.endswith("\n    }\n  ]\n}\n")
    value = orjson.loads(text)
    assert list(value) == ["training_file_metadata", "consultant_profile", "conversations"]
    assert (
        orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode() == text
    )


def test_the_first_fold_creates_the_file_and_the_next_ones_keep_its_creation():
    file = built([conversation(A)], [conversation(B)])
    first, second = file.versions
    assert (first.training_file_id, first.number) == (FILE_ID, 1)
    assert (first.training_file_created_at, first.created_at) == (NOW, NOW)
    assert (second.training_file_id, second.number) == (FILE_ID, 2)
    assert second.training_file_created_at == NOW
    metadata = file.value["training_file_metadata"]
    assert metadata["created_date"] == "2026-05-04T12:30:00.123Z"
    assert metadata["last_updated"] == "2026-05-04T13:30:00.123Z"


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 5, 4, tzinfo=UTC),
        datetime(2026, 5, 4, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_times_are_written_in_utc_with_milliseconds(moment):
    assert utc_text(moment) == "2026-05-04T00:00:00.000Z"


@pytest.mark.parametrize("name", ['“Größe” \\ "x"', "\n  ]\n}\n", '"conversations": [', "👩‍👩‍👧"])
def test_the_places_are_true_whatever_the_name(name):
    file = TrainingFile(name)
    file.add(conversation(A))
    file.add(conversation(B))
    assert file.value["training_file_metadata"]["file_name"] == normal_name(name)
    assert orjson.loads(b"[" + file.content + b"]") == file.value["conversations"]


# Suffixes


def test_colliding_ids_get_longer_suffixes_in_the_order_of_adding():
    file = built([conversation(POOL[1])], [conversation(POOL[2]), conversation(POOL[0])])
    assert [member.line_suffix for member in file.members] == [
        "aaaaaaaa",
        "aaaaaaaa-1111",
        "aaaaaaaa-0000",
    ]
    ids = [orjson.loads(line)["id"] for line in file.example_lines.splitlines()]
    assert len(set(ids)) == len(ids) == 6


def test_fragments_are_relabelled_as_the_admission_says():
    # After a lost race the gate may give other suffixes than those the fragments were made with.
    late = conversation(POOL[0])
    made_early = fragment_of(late)
    file = built([conversation(POOL[1])])
    asked = request(A)
    admission = file.admission(asked, [late])
    composition = compose_add(asked, admission, [made_early], new_id=FILE_ID, now=NOW, attempt="0")
    assert made_early.line_suffix == "aaaaaaaa"
    assert [member.line_suffix for member in composition.begun] == ["aaaaaaaa-0000"]
    assert file.bytes_of(composition.lines) == file.bytes_of(file.add(late).lines)


# One consultant


def of_another(conversation_id: UUID, **changes: Any) -> dict[str, Any]:
    value = conversation(conversation_id)
    value["consultant_profile"] = profile(**changes)
    return value


def blocked(
    file: TrainingFile, *values: dict[str, Any], strict: bool = False
) -> list[tuple[str, str | None, str | None]]:
    before = (dict(file.objects), list(file.versions))
    with pytest.raises(Blocked) as caught:
        file.add(*values, strict=strict)
    assert (file.objects, file.versions) == before
    return [(r.conversation_id, r.code, r.path) for r in caught.value.reasons]


@pytest.mark.parametrize("changes", [{"name": "Ada Poe"}, {"business": "Loud Harbour"}])
def test_a_conversation_of_another_consultant_is_blocked(changes):
    file = built([conversation(A)])
    expected = [(str(B), "other-consultant", "consultant_profile")]
    assert blocked(file, of_another(B, **changes), conversation(C)) == expected
    assert blocked(TrainingFile(), conversation(A), of_another(B, **changes)) == expected


def test_the_reason_names_both_consultants():
    with pytest.raises(Blocked, match=r"by Ada Poe \(Quiet.*is Noor Haddad, CFP \(Quiet"):
        built([conversation(A)], [of_another(B, name="Ada Poe")])


def test_every_stranger_is_named():
    file = built([conversation(A)])
    found = blocked(file, of_another(B, name="X"), of_another(C, name="Y"))
    assert [id for id, _, _ in found] == [str(B), str(C)]


WORDINGS = [
    ({"expertise": "other"}, "consultant_profile.expertise"),
    ({"years_experience": 13}, "consultant_profile.years_experience"),
    (
        {"communication_style": {"tone": "warm", "techniques": ["ask"], "avoid": ["jargon"]}},
        "consultant_profile.communication_style.tone",
    ),
    (
        {"communication_style": {"tone": "calm", "techniques": ["ask", "x"], "avoid": ["jargon"]}},
        "consultant_profile.communication_style.techniques",
    ),
    ({"x_motto": "new"}, "consultant_profile.x_motto"),
]


@pytest.mark.parametrize(("changes", "path"), WORDINGS)
def test_a_profile_worded_differently_is_a_warning_and_the_file_keeps_the_first(changes, path):
    file = built([conversation(A)])
    composition = file.add(of_another(B, **changes))
    (warning,) = composition.version.warnings
    assert (warning.conversation_id, warning.code, warning.path) == (
        str(B),
        "profile-differs",
        path,
    )
    assert composition.version.consultant_profile == profile()
    assert exactly(file.value["consultant_profile"]) == exactly(profile())


def test_several_differences_are_one_warning_that_counts_them():
    composition = built([conversation(A)]).add(of_another(B, expertise="x", years_experience=1))
    assert [(w.path, w.count) for w in composition.version.warnings] == [
        ("consultant_profile.expertise", 2)
    ]


def test_in_a_strict_request_a_difference_blocks():
    file = built([conversation(A)])
    found = blocked(file, of_another(B, expertise="x"), strict=True)
    assert found == [(str(B), "profile-differs", "consultant_profile.expertise")]


def test_a_version_records_the_warnings_of_its_own_conversations_only():
    bare = conversation(A, turns=1)
    file = built([bare], [conversation(B)])
    assert [warning.code for warning in file.versions[0].warnings] == ["no-examples"]
    assert file.versions[1].warnings == ()


def test_unknown_keys_of_the_profile_are_kept():
    value = of_another(A, x={"deep": [3.0, 3, "\u2028"]})
    assert exactly(built([value]).value["consultant_profile"]) == exactly(
        value["consultant_profile"]
    )
