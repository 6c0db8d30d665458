"""What makes a file a valid conversation: errors with their path, warnings with their count."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from domain.errors import Blocked
from domain.source.checking import read
from domain.source.limits import Limits
from soak.building import as_bytes, conversation, retell
from tests.domain.making import (
    LIMITS,
    A,
    B,
    Path,
    codes,
    eligible,
    fragment_of,
    refusal,
    replaced,
    text_of,
    walk,
    without,
)

VALID = conversation(A, turns=2)
OPTIONAL = {"secondary", "secondary_confidence"}
PAIR = ("training_pairs", 0)
EVERYWHERE = [(path, value) for path, value in walk(VALID) if path]
KEYS = [path for path, _ in EVERYWHERE if isinstance(path[-1], str)]


def with_pair(**changes: Any) -> dict[str, Any]:
    value = conversation(A, turns=2)
    value["training_pairs"][0] |= changes
    return value


def with_metadata(**changes: Any) -> dict[str, Any]:
    """Changed scaffolding in every pair."""
    value = conversation(A)
    for pair in value["training_pairs"]:
        pair["conversation_metadata"] |= changes
    return value


def test_a_valid_file_is_accepted_without_warnings():
    assert fragment_of(VALID).warnings == ()


@pytest.mark.parametrize("path", [p for p in KEYS if p[-1] not in OPTIONAL], ids=text_of)
def test_a_missing_key_is_refused_with_its_path(path: Path):
    assert codes(without(VALID, path)) == [("missing-key", text_of(path))]


@pytest.mark.parametrize("path", [p for p in KEYS if p[-1] in OPTIONAL], ids=text_of)
def test_the_optional_keys_may_be_missing(path: Path):
    assert codes(without(VALID, path)) == []


NULLABLE = {"target_response", "reviewer_notes"}


def wrong_values(path: Path, value: Any) -> list[Any]:
    everything = [None, True, 3, 1.0, 1.5, "x", "3", [], [1], {}, {"x": 1}]
    right: tuple[type, ...] = (type(value),)
    if path[-1] in NULLABLE:
        right = (str, type(None))
    elif type(value) in (int, float):
        is_score = "score" in str(path[-1]) or path[-1] in (
            "brand_voice_alignment",
            "intensity",
            "primary_confidence",
            "secondary_confidence",
        )
        right = (int, float) if is_score else (int,)
    return [wrong for wrong in everything if type(wrong) not in right]


@pytest.mark.parametrize(
    ("path", "value"), EVERYWHERE, ids=lambda it: text_of(it)[:60] if isinstance(it, tuple) else ""
)
def test_a_wrong_type_is_refused_with_its_path(path: Path, value: Any):
    for wrong in wrong_values(path, value):
        found = codes(replaced(VALID, path, wrong))
        place = text_of(path)
        assert found, f"{wrong!r} at {place} was accepted"
        assert all((at or "").startswith(place) for _, at in found)
        assert {code for code, _ in found} <= {"wrong-type", "wrong-value", "missing-key"}


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", [], [VALID]])
def test_a_file_that_is_no_object_is_refused(value):
    assert codes(value) == [("wrong-type", "(the whole file)")]


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ((*PAIR, "training_metadata", "quality_score"), 0.999),
        ((*PAIR, "training_metadata", "quality_score"), 5.001),
        ((*PAIR, "training_metadata", "quality_score"), -1e308),
        ((*PAIR, "training_metadata", "quality_score"), 2**63),
        ((*PAIR, "training_metadata", "quality_criteria", "empathy_score"), 0),
        ((*PAIR, "training_metadata", "quality_criteria", "brand_voice_alignment"), 6),
        ((*PAIR, "training_metadata", "generate_variations_count"), -1),
        ((*PAIR, "training_metadata", "conversation_turn"), 0),
        ((*PAIR, "turn_number"), 0),
        ((*PAIR, "turn_number"), -(2**63)),
        ((*PAIR, "emotional_context", "detected_emotions", "intensity"), 1.0000001),
        ((*PAIR, "emotional_context", "detected_emotions", "primary_confidence"), -0.1),
        ((*PAIR, "emotional_context", "detected_emotions", "secondary_confidence"), 2),
        (("training_pairs", 1, "conversation_history", 0, "turn"), 0),
        (("training_pairs", 1, "conversation_history", 0, "emotional_state", "intensity"), 7),
        (("consultant_profile", "years_experience"), -1),
        (("dataset_metadata", "total_turns"), 0),
    ],
)
def test_a_number_out_of_range_is_refused_with_its_path(path: Path, number):
    assert codes(replaced(VALID, path, number)) == [("out-of-range", text_of(path))]


@pytest.mark.parametrize(
    ("path", "wrong", "code"),
    [
        (("dataset_metadata", "vertical"), "law_consultant", "wrong-value"),
        (("dataset_metadata", "total_conversations"), 2, "out-of-range"),
        (("dataset_metadata", "version"), "1.0", "wrong-format"),
        (("dataset_metadata", "version"), "1.0.0\n", "wrong-format"),
        (("dataset_metadata", "version"), "1.0.١", "wrong-format"),
        (("dataset_metadata", "created_date"), "2026-02-30", "wrong-format"),
        (("dataset_metadata", "created_date"), "2026-5-4", "wrong-format"),
        (("dataset_metadata", "created_date"), "2026-05-04T00:00:00Z", "wrong-format"),
        (("dataset_metadata", "created_date"), "0000-01-01", "wrong-format"),
        (("dataset_metadata", "created_date"), "２０２６-05-04", "wrong-format"),
        (("dataset_metadata", "dataset_name"), f"fp_conversation_{A}".upper(), "wrong-format"),
        (("dataset_metadata", "dataset_name"), f"fp_conversation_{A}\n", "wrong-format"),
        (("dataset_metadata", "dataset_name"), f"../fp_conversation_{A}", "wrong-format"),
        (("consultant_profile", "name"), "", "too-short"),
        (("consultant_profile", "business"), "b" * 201, "too-long"),
        (("consultant_profile", "name"), "Noor\nHaddad", "wrong-format"),
        (("consultant_profile", "communication_style", "techniques"), [], "too-short"),
        ((*PAIR, "id"), "", "too-short"),
        ((*PAIR, "system_prompt"), "Be kind.", "too-short"),
        ((*PAIR, "current_user_input"), "", "wrong-format"),
        ((*PAIR, "current_user_input"), " \t\n\u00a0\u3000", "wrong-format"),
        ((*PAIR, "target_response"), " \n", "wrong-format"),
        ((*PAIR, "target_response"), "\u2003", "wrong-format"),
        (("training_pairs", 1, "conversation_history", 0, "role"), "system", "wrong-value"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(path: Path, wrong, code):
    assert codes(replaced(VALID, path, wrong)) == [(code, text_of(path))]


@pytest.mark.parametrize("control", ["\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028"])
@pytest.mark.parametrize("key", ["persona_archetype", "emotional_arc_key", "training_topic_key"])
def test_a_control_character_in_a_key_of_the_statistics_is_refused(key, control):
    place = f"training_pairs[0].conversation_metadata.{key}"
    assert codes(with_metadata(**{key: f"first{control}budget"})) == [("wrong-format", place)]


def test_a_file_without_pairs_is_refused():
    assert codes(VALID | {"training_pairs": []}) == [("too-short", "training_pairs")]


def test_an_extra_key_at_the_root_is_refused_with_its_name():
    assert codes(VALID | {"comment": 1}) == [("unknown-key", "comment")]


def test_another_conversations_file_is_refused():
    assert codes(conversation(B)) == [("other-conversation", "dataset_metadata.dataset_name")]


def test_a_wrong_count_of_turns_is_refused():
    value = replaced(VALID, ("dataset_metadata", "total_turns"), 3)
    assert codes(value) == [("wrong-count", "dataset_metadata.total_turns")]


@pytest.mark.parametrize(
    ("turns", "wrong"), [([2, 1], [0, 1]), ([1, 3], [1]), ([1, 1], [1]), ([2, 3], [0, 1])]
)
def test_turn_numbers_run_from_1_without_a_gap(turns, wrong):
    value = conversation(A, turns=2)
    for pair, turn in zip(value["training_pairs"], turns, strict=True):
        pair["turn_number"] = pair["training_metadata"]["conversation_turn"] = turn
    assert codes(value) == [("wrong-turn", f"training_pairs[{i}].turn_number") for i in wrong]


def test_a_conversation_turn_that_differs_from_the_turn_number_is_refused():
    path = ("training_pairs", 1, "training_metadata", "conversation_turn")
    assert codes(replaced(VALID, path, 1)) == [("wrong-turn", text_of(path))]


def test_a_repeated_pair_id_is_refused_at_its_second_place():
    value = replaced(VALID, ("training_pairs", 1, "id"), VALID["training_pairs"][0]["id"])
    assert codes(value) == [("repeated-pair-id", "training_pairs[1].id")]


def test_contradictions_are_all_told_at_once():
    value = conversation(B, turns=2)
    value["dataset_metadata"]["total_turns"] = 9
    value["training_pairs"][1]["id"] = value["training_pairs"][0]["id"]
    found = [code for code, _ in codes(value)]
    assert found == ["other-conversation", "wrong-count", "repeated-pair-id"]


def test_every_reason_names_the_conversation():
    broken = [b"", b"{}", as_bytes(conversation(B)), as_bytes(VALID | {"x": 1}), b"{" * 99]
    for data in broken:
        assert {reason.conversation_id for reason in refusal(data)} == {str(A)}


def test_without_an_expected_id_any_conversation_is_read():
    raw, model = read(as_bytes(conversation(B)), None, limits=LIMITS)
    assert raw == conversation(B)
    assert model.dataset_metadata.dataset_name == f"fp_conversation_{B}"


def test_more_reasons_than_the_cap_end_in_how_many_more_there_are():
    value = conversation(A, turns=1)
    value["training_pairs"][0] = {}
    value["consultant_profile"] = {}
    reasons = refusal(value, limits=Limits(reasons_per_conversation=5))
    assert [reason.code for reason in reasons] == ["missing-key"] * 5 + ["more"]
    assert "11 more" in reasons[-1].reason


def test_contradictions_are_capped_too():
    value = conversation(A, turns=40)
    for pair in value["training_pairs"]:
        pair["turn_number"] = 7
    assert len(refusal(value, limits=Limits(reasons_per_conversation=5))) == 6


def test_the_same_fault_in_all_pairs_is_one_reason_that_counts_its_places():
    value = conversation(A, turns=30)
    for pair in value["training_pairs"]:
        del pair["system_prompt"]
    (reason,) = refusal(value)
    assert (reason.code, reason.path) == ("missing-key", "training_pairs[0].system_prompt")
    assert "30 places" in reason.reason


def test_too_many_pairs_are_refused():
    value = conversation(A, turns=3)
    assert codes(value, limits=Limits(training_pairs=3)) == []
    assert codes(value, limits=Limits(training_pairs=2)) == [("too-many-pairs", "training_pairs")]


def test_a_file_is_refused_from_one_byte_beyond_the_limit():
    data = as_bytes(VALID)
    assert codes(data, limits=Limits(file_bytes=len(data))) == []
    assert codes(data, limits=Limits(file_bytes=len(data) - 1)) == [("file-too-large", None)]


def test_a_file_that_cannot_be_read_gives_the_rule_and_no_path():
    assert codes(b'{"a": 1, "a": 2}') == [("repeated-key", None)]


# Warnings


def warned(value: Any, **changes: Any) -> list[tuple[str, str, int]]:
    return [(w.code, w.path, w.count) for w in fragment_of(value, **changes).warnings]


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("conversation_source", "dataset_metadata"),
        ("quality_tier", "dataset_metadata"),
        ("target_use", "dataset_metadata"),
    ],
)
def test_an_unknown_word_about_the_file_is_a_warning(field, place):
    value = replaced(VALID, (place, field), "other")
    assert warned(value) == [("unknown-word", f"{place}.{field}", 1)]


@pytest.mark.parametrize("field", ["persona_archetype", "emotional_arc_key", "conversation_phase"])
def test_an_unknown_word_in_the_pairs_is_one_warning_with_count_and_first_path(field):
    value = with_metadata(**{field: "other"})
    place = f"training_pairs[0].conversation_metadata.{field}"
    assert warned(value) == [("unknown-word", place, 4)]


def test_an_unknown_valence_is_a_warning_at_its_pair():
    path = ("training_pairs", 1, "emotional_context", "detected_emotions", "valence")
    assert warned(replaced(VALID, path, "")) == [("unknown-word", text_of(path), 1)]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("It ends here\\", ["cut-off"]),
        ("One.\\nTwo.", ["double-escaped"]),
        ("One.\\nTwo.\\", ["cut-off", "double-escaped"]),
        ("A real\nline break", []),
        ("A \\ in the middle", []),
        ('He said \\"yes\\".', ["double-escaped"]),
        ("It ends here\\ \n", ["cut-off"]),
        ("C:\\temp", []),
    ],
)
def test_odd_targets_are_warnings(target, expected):
    value = replaced(VALID, ("training_pairs", 1, "target_response"), target)
    place = "training_pairs[1].target_response"
    assert warned(value) == [(code, place, 1) for code in expected]


def test_a_damaged_turn_of_the_clients_is_a_warning_once_and_so_is_what_follows_it():
    value = conversation(A, turns=6)
    pairs = value["training_pairs"]
    for pair in pairs[2:4]:
        pair["current_user_input"] = "I am such a \\"
    retell(pairs)
    assert warned(value) == [
        ("cut-off", "training_pairs[2].current_user_input", 1),
        ("damaged-context", "training_pairs[3].target_response", 2),
    ]
    (first, *_) = refusal(value, strict=True)
    assert first.path == "training_pairs[2].current_user_input"


def test_a_target_after_a_damaged_target_is_a_warning_unless_it_is_damaged_itself():
    value = conversation(A, turns=6)
    pairs = value["training_pairs"]
    for pair in pairs[1:4:2]:
        pair["target_response"] = "One.\\nTwo."
    retell(pairs)
    assert warned(value) == [
        ("double-escaped", "training_pairs[1].target_response", 2),
        ("damaged-context", "training_pairs[5].target_response", 1),
    ]


def test_an_empty_target_is_a_warning():
    value = with_pair(target_response="")
    assert warned(value) == [("empty-target", "training_pairs[0].target_response", 1)]


def test_a_conversation_without_examples_is_a_warning():
    assert warned(conversation(A, turns=1)) == [("no-examples", "training_pairs", 1)]


@pytest.mark.parametrize("key", ["persona_archetype", "emotional_arc_key", "training_topic_key"])
def test_scaffolding_that_differs_from_the_row_is_a_warning(key):
    place = f"training_pairs[0].conversation_metadata.{key}"
    assert warned(VALID, row_scaffolding={key: "other"}) == [("scaffolding-differs", place, 1)]


def test_scaffolding_that_the_row_confirms_or_lacks_is_none():
    assert warned(VALID, row_scaffolding={"persona_archetype": "anxious_planner"}) == []


def test_scaffolding_that_varies_between_pairs_is_a_warning():
    value = conversation(A)
    for pair in value["training_pairs"][2:]:
        pair["conversation_metadata"]["training_topic_key"] = "taxes"
    place = "training_pairs[2].conversation_metadata.training_topic_key"
    assert warned(value) == [("scaffolding-varies", place, 2)]


def test_strict_turns_warnings_into_reasons():
    value = with_pair(target_response="")
    assert codes(value) == []
    (reason,) = refusal(value, strict=True)
    assert (reason.code, reason.path) == ("empty-target", "training_pairs[0].target_response")
    assert reason.conversation_id == str(A)
    assert "strict" in reason.reason


def test_strict_accepts_a_file_without_warnings():
    assert codes(VALID, strict=True) == []


# Attacks


def test_a_pair_marked_as_meta_is_refused_because_trainers_would_skip_it():
    assert codes(with_pair(_meta={})) == [("reserved-key", "training_pairs[0]._meta")]


@pytest.mark.parametrize(
    "value",
    [
        VALID | {"training_pairs": [{}] * 500_000},
        VALID | {f"k{n}": 0 for n in range(300_000)},
        with_pair(conversation_history=[{}] * 500_000),
        replaced(VALID, (*PAIR, "training_metadata", "demonstrates_skills"), [0.5] * 500_000),
        replaced(VALID, ("consultant_profile", "communication_style", "avoid"), [None] * 500_000),
    ],
    ids=["pairs", "root keys", "history", "skills", "profile"],
)
def test_a_flood_of_errors_is_answered_briefly(value):
    reasons = refusal(orjson.dumps(value))
    assert 0 < len(reasons) <= LIMITS.reasons_per_conversation + 1


def test_of_a_long_list_only_the_first_fault_is_told():
    reasons = refusal(with_pair(conversation_history=[{}] * 3))
    assert {reason.path for reason in reasons} == {
        f"training_pairs[0].conversation_history[0].{key}"
        for key in ("turn", "role", "content", "emotional_state")
    }
    assert not any("places" in reason.reason for reason in reasons)


LONG = "w" * 1_000_000


@pytest.mark.parametrize(
    "value",
    [
        VALID | {LONG: 1},
        replaced(VALID, ("dataset_metadata", "dataset_name"), LONG),
        replaced(VALID, ("dataset_metadata", "created_date"), LONG),
        replaced(VALID, ("dataset_metadata", "vertical"), LONG),
        replaced(VALID, ("training_pairs",), {LONG: LONG}),
        with_pair(id=LONG, turn_number=[LONG] * 3),
        replaced(with_pair(id=LONG), ("training_pairs", 1, "id"), LONG),
        with_metadata(persona_archetype=LONG),
    ],
)
def test_a_reason_never_repeats_a_long_text_of_the_file(value):
    reasons = refusal(value)
    assert reasons
    assert all(len(reason.reason) + len(reason.path or "") < 500 for reason in reasons)


def test_a_warning_never_repeats_a_long_text_of_the_file():
    (warning,) = fragment_of(with_metadata(conversation_phase=LONG)).warnings
    assert len(warning.message) < 200


ESCAPES = "\x1b[2J\u202e\n\x85\u2028"


@pytest.mark.parametrize(
    "value",
    [
        with_metadata(persona_archetype=ESCAPES),
        VALID | {ESCAPES: 1},
        replaced(with_pair(id=ESCAPES), ("training_pairs", 1, "id"), ESCAPES),
        replaced(VALID, ("dataset_metadata", "vertical"), [ESCAPES]),
    ],
)
def test_a_reason_shows_control_characters_escaped(value):
    (reason,) = refusal(value)
    assert reason.reason.isprintable()
    assert (reason.path or "").isprintable()


def test_a_repeated_key_is_shown_with_its_control_characters_escaped():
    (reason,) = refusal(b'{"\\u001b[2J": 1, "\\u001b[2J": 2}')
    assert reason.code == "repeated-key"
    assert reason.reason.isprintable()


@pytest.mark.parametrize("field", ["conversation_phase", "expected_outcome"])
def test_a_warning_shows_control_characters_escaped(field):
    warnings = fragment_of(with_metadata(**{field: ESCAPES})).warnings
    assert all(warning.message.isprintable() for warning in warnings)


def test_an_id_with_upper_case_letters_matches_its_file():
    fragment = fragment_of(VALID, UUID(str(A).upper()))
    assert fragment.conversation_id == A


def test_validation_changes_nothing_about_what_it_was_given():
    with pytest.raises(Blocked):
        read(b"{}", A, limits=LIMITS)
    assert eligible() == eligible()
