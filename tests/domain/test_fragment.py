"""What a conversation contributes to a version."""

from uuid import UUID

import orjson
import pytest

from soak.building import conversation
from tests.domain.making import A, B, fragment_of


def test_the_metadata_comes_from_the_file_the_gate_and_the_pairs():
    fragment = fragment_of(conversation(A, score=4.5), batch_id=B)
    assert orjson.loads(fragment.full)["conversation_metadata"] == {
        "conversation_id": str(A),
        "source_file": f"fp_conversation_{A}.json",
        "created_date": "2026-05-04",
        "batch_id": str(B),
        "total_turns": 4,
        "quality_tier": "seed_dataset",
        "scaffolding": {
            "persona_key": "anxious_planner",
            "persona_name": "Ines Duarte - The Anxious Planner",
            "emotional_arc_key": "fear_to_confidence",
            "emotional_arc": "Fear → Confidence",
            "training_topic_key": "first_budget",
            "training_topic": "First Budget",
        },
    }


def test_without_a_batch_there_is_no_batch_id():
    assert b"batch_id" not in fragment_of(conversation(A)).full


@pytest.mark.parametrize(
    ("score", "tier"),
    [(5, "seed_dataset"), (3.5, "production"), (2.5, "experimental"), (1, "rejected")],
)
def test_the_tier_is_computed_whatever_the_file_says(score, tier):
    metadata = orjson.loads(fragment_of(conversation(A, score=score)).full)["conversation_metadata"]
    assert metadata["quality_tier"] == tier


def test_every_line_of_the_fragment_stands_at_its_depth():
    lines = fragment_of(conversation(A)).full.split(b"\n")
    assert lines[0] == b"    {"
    assert lines[-1] == b"    }"
    assert all(line.startswith(b"    ") for line in lines)


def test_the_same_input_gives_the_same_bytes():
    assert fragment_of(conversation(A)) == fragment_of(conversation(A))


def test_a_relabelled_fragment_changes_only_the_ids_of_its_lines():
    fragment = fragment_of(conversation(A))
    longer = fragment.relabelled("aaaaaaaa-0000")
    assert longer == fragment_of(conversation(A), line_suffix="aaaaaaaa-0000")
    assert longer.full == fragment.full
    assert longer.relabelled("aaaaaaaa") == fragment


def test_a_fragment_survives_as_json():
    fragment = fragment_of(conversation(A))
    assert type(fragment).model_validate_json(fragment.model_dump_json()) == fragment
    assert isinstance(fragment.conversation_id, UUID)
