"""A full training file back to individual conversations."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.source.splitting import is_full_file, split
from soak.building import conversation
from tests.domain.making import (
    A,
    B,
    TrainingFile,
    codes,
    fragment_of,
    id_of,
    json_values,
    refusal,
    replaced,
    several,
    steady,
    walk,
)


def folded(*values: dict[str, Any]) -> Any:
    file = TrainingFile()
    file.add(*values)
    return file.value


@steady
@given(several())
def test_a_full_file_splits_into_the_conversations_it_was_folded_from(values):
    parts = split(folded(*values))
    assert len(parts) == len(values)
    for (data, batch_id), value in zip(parts, values, strict=True):
        before = fragment_of(value, id_of(value))
        after = fragment_of(orjson.loads(data), id_of(value))
        assert after.full == before.full
        assert after.lines == before.lines
        assert after.statistics == before.statistics
        assert batch_id is None


def test_split_and_folded_again_a_file_is_the_same_to_the_byte():
    first, second = TrainingFile(), TrainingFile()
    first.add(conversation(A), conversation(B, score=4.2))
    second.add(*(orjson.loads(data) for data, _ in split(first.value)))
    assert second.full == first.full
    assert second.lines == first.lines


def test_the_batch_id_comes_along():
    value = folded(conversation(A))
    value["conversations"][0]["conversation_metadata"]["batch_id"] = str(B)
    assert [batch_id for _, batch_id in split(value)] == [str(B)]


@pytest.mark.parametrize(
    "value", [None, 1, "x", [], {}, {"conversations": {}}, {"conversations": None}, conversation(A)]
)
def test_what_is_no_full_file_is_told_apart(value):
    assert not is_full_file(value)


@pytest.mark.parametrize(
    "item",
    [
        None,
        1,
        "x",
        [],
        {},
        {"conversation_metadata": None, "training_pairs": None},
        {"conversation_metadata": [], "training_pairs": [{}]},
        {"conversation_metadata": {"conversation_id": 1, "batch_id": 2}},
        {"conversation_metadata": {"conversation_id": str(A)}, "training_pairs": {}},
    ],
)
def test_a_malformed_conversation_splits_into_a_part_that_validation_refuses(item):
    value = {"consultant_profile": None, "conversations": [item]}
    ((data, batch_id),) = split(value)
    assert refusal(data)
    assert batch_id is None


def test_a_file_without_profile_splits_into_parts_that_validation_refuses():
    value = folded(conversation(A))
    del value["consultant_profile"]
    ((data, _),) = split(value)
    assert codes(data) == [("wrong-type", "consultant_profile")]


def test_an_empty_file_splits_into_nothing():
    assert split({"conversations": []}) == []


FULL = folded(conversation(A, turns=2))
PLACES = [path for path, _ in walk(FULL) if path]


@steady
@given(st.sampled_from(PLACES), json_values)
def test_a_full_file_with_any_value_anywhere_splits_without_an_error(path, value):
    damaged = replaced(FULL, path, value)
    if is_full_file(damaged):
        for data, batch_id in split(damaged):
            refusal(data)
            assert batch_id is None or isinstance(batch_id, str)
