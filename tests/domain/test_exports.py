"""What trainers get: each approved answer once, after exactly what preceded it."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exports import LINE_FORMATS
from domain.exports.chat import NotAChat, Turn, read_chat
from domain.exports.lines import export_lines
from domain.exports.rows import COLUMNS, example_rows
from domain.exports.stored import options_digest
from domain.exports.summary import ExportSummary
from domain.versions.record import Member
from soak.building import conversation, retell

ID = UUID("0f0f0f0f-0000-4000-8000-000000000001")


def stored(value: dict[str, Any], id: UUID = ID) -> dict[str, Any]:
    """A conversation as the full JSON holds it, as far as exports look."""
    return {
        "conversation_metadata": {"conversation_id": str(id)},
        "training_pairs": value["training_pairs"],
    }


def lines(value: dict[str, Any], format: str) -> list[Any]:
    return [orjson.loads(line) for line in export_lines(read_chat(stored(value)), format)]


def test_a_conversation_is_one_line_of_messages_with_its_system_prompt_first():
    value = conversation(ID, turns=4)
    (line,) = lines(value, "messages")
    assert list(line) == ["messages"]
    roles = [message["role"] for message in line["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant"]
    assert [list(message) for message in line["messages"]] == [["role", "content"]] * 5
    pairs = value["training_pairs"]
    assert line["messages"][0]["content"] == pairs[0]["system_prompt"]
    assert line["messages"][3]["content"] == pairs[2]["current_user_input"]
    assert line["messages"][4]["content"] == pairs[3]["target_response"]


def test_each_target_is_one_line_of_prompt_and_completion():
    first, second = lines(conversation(ID, turns=4), "prompt-completion")
    assert list(first) == ["prompt", "completion"]
    assert [message["role"] for message in first["prompt"]] == ["system", "user"]
    assert second["prompt"] == [
        *first["prompt"], *first["completion"], second["prompt"][-1]
    ]  # fmt: skip
    assert [message["role"] for message in second["completion"]] == ["assistant"]


def test_sharegpt_has_the_system_prompt_as_its_first_turn():
    (line,) = lines(conversation(ID, turns=4), "sharegpt")
    names = [turn["from"] for turn in line["conversations"]]
    assert names == ["system", "human", "gpt", "human", "gpt"]


@pytest.mark.parametrize("format", LINE_FORMATS)
def test_a_last_turn_that_nobody_answered_is_cut_off(format: str):
    five = read_chat(stored(conversation(ID, turns=5)))
    assert five.unanswered
    assert five.turns == read_chat(stored(conversation(ID, turns=4))).turns
    assert five.turns[-1].role == "assistant"


def test_a_conversation_without_an_answer_is_left_out_by_name():
    chat = read_chat(stored(conversation(ID, turns=1)))
    summary = ExportSummary()
    summary.count(chat)
    assert summary.without_target == [str(ID)]
    assert [list(export_lines(chat, format)) for format in LINE_FORMATS] == [[], [], []]


def test_pairs_that_hold_both_turns_are_told_turn_by_turn():
    value = conversation(ID, turns=4)
    value["training_pairs"] = [pair for pair in value["training_pairs"] if pair["target_response"]]
    assert read_chat(stored(value)) == read_chat(stored(conversation(ID, turns=4)))


def test_a_history_that_does_not_repeat_the_input_is_the_same_history():
    value = conversation(ID, turns=4)
    for pair in value["training_pairs"]:
        if pair["target_response"]:
            pair["conversation_history"].pop()
    assert read_chat(stored(value)) == read_chat(stored(conversation(ID, turns=4)))


def damaged(change: str) -> dict[str, Any]:
    value = conversation(ID, turns=4)
    pairs = value["training_pairs"]
    match change:
        case "two-user-turns":
            pairs[1]["target_response"] = None
            retell(pairs)
        case "other-input":
            pairs[3]["current_user_input"] = "Something else?"
        case "other-history":
            pairs[3]["conversation_history"][1]["content"] += " And more."
        case "several-system-prompts":
            pairs[2]["system_prompt"] += " Be brief."
    return value


@pytest.mark.parametrize(
    "change", ["two-user-turns", "other-input", "other-history", "several-system-prompts"]
)
def test_what_trainers_would_drop_or_distort_is_refused_by_name(change: str):
    with pytest.raises(NotAChat) as refused:
        read_chat(stored(damaged(change)))
    assert change in {reason.code for reason in refused.value.reasons}
    assert {reason.conversation_id for reason in refused.value.reasons} == {str(ID)}


@given(
    turns=st.integers(1, 12),
    texts=st.lists(st.text(min_size=1).filter(str.strip), min_size=12, max_size=12),
)
def test_all_targets_and_nothing_else_are_learnt(turns: int, texts: list[str]):
    value = conversation(uuid4(), turns=turns)
    for pair, text in zip(value["training_pairs"], texts, strict=False):
        if pair["target_response"]:
            pair["target_response"] = text
    retell(value["training_pairs"])
    targets = [p["target_response"] for p in value["training_pairs"] if p["target_response"]]
    chat = read_chat(stored(value))
    learnt = [m["content"] for line in lines(value, "messages") for m in line["messages"]
              if m["role"] == "assistant"]  # fmt: skip
    completions = [line["completion"][0]["content"] for line in lines(value, "prompt-completion")]
    assert learnt == completions == targets
    assert [turn for turn in chat.turns if turn.role == "assistant"] == [
        Turn("assistant", text) for text in targets
    ]


def rows(value: dict[str, Any], **metadata: Any) -> list[dict[str, Any]]:
    whole = stored(value)
    whole["conversation_metadata"] |= {"source_file": "fp.json"} | metadata
    member = Member.model_construct(line_suffix="0f0f0f0f", added_in=3)
    return list(example_rows(read_chat(whole), whole, member, side="train"))


def test_a_row_has_every_column_and_says_where_its_target_is_from():
    value = conversation(ID, turns=4)
    first, second = rows(value, batch_id="a batch")
    assert list(first) == list(second) == list(COLUMNS)
    pair = value["training_pairs"][3]
    (line,) = [pair["target_response"]]
    assert second["completion"] == [{"role": "assistant", "content": line}]
    assert second["prompt"] == lines(value, "prompt-completion")[1]["prompt"]
    assert (second["id"], second["turn_number"]) == (f"{pair['id']}_0f0f0f0f", 4)
    assert (second["since_version"], second["batch_id"], second["split"]) == (3, "a batch", "train")
    assert (second["source_object"], second["source_sha256"]) == ("fp.json", None)
    assert second["emotion_primary"] == (
        pair["emotional_context"]["detected_emotions"]["primary"]
    )  # fmt: skip
    assert rows(value)[0]["batch_id"] is None


def test_unknown_keys_of_a_pair_are_carried_as_json_and_scores_are_floats():
    value = conversation(ID, turns=2)
    pair = value["training_pairs"][1]
    pair |= {"zebra": {"z": 3.0, "a": 3}, "שם": "\0"}
    pair["training_metadata"]["quality_score"] = 4
    (row,) = rows(value)
    assert row["extra"] == '{"zebra":{"z":3.0,"a":3},"שם":"\\u0000"}'
    assert (type(row["quality_score"]), row["quality_score"]) == (float, 4.0)
    assert rows(conversation(ID, turns=2))[0]["extra"] == "{}"


def test_options_have_one_digest_whatever_the_order_of_conversations():
    other = UUID(int=5)
    one, two = {ID: "train", other: "validation"}, {other: "validation", ID: "train"}
    assert options_digest(one) == options_digest(two)
    assert len({options_digest(it) for it in (None, {}, one, {**one, ID: "validation"})}) == 4
