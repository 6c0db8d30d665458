"""The lines of the JSONL."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.format.jsonl import LINE_KEYS, example_lines, line_suffix, meta_line, with_suffix
from soak.building import conversation
from tests.domain.making import POOL, A, conversations, fragment_of, steady


def test_only_targets_that_say_something_give_lines():
    value = conversation(A)
    value["training_pairs"][1]["target_response"] = ""
    lines = fragment_of(value).lines.splitlines()
    assert [orjson.loads(line)["turn_number"] for line in lines] == [4]


def test_a_conversation_without_answers_gives_no_lines():
    assert fragment_of(conversation(A, turns=1)).lines == b""


def test_keys_stand_in_the_formats_order_and_unknown_ones_after_them():
    value = conversation(A, turns=2)
    pair = value["training_pairs"][1]
    value["training_pairs"][1] = {"z": 1, **dict(reversed(pair.items())), "a": 2}
    (line,) = fragment_of(value).lines.splitlines()
    assert list(orjson.loads(line)) == [*LINE_KEYS, "z", "a"]


def test_every_line_ends_in_its_newline_and_holds_no_other():
    lines = fragment_of(conversation(A)).lines
    assert lines.endswith(b"\n")
    assert lines.count(b"\n") == 2


def test_the_meta_line_tells_name_count_and_version():
    line = meta_line("Größe “1”\\", 7)
    expected = {"file_name": "Größe “1”\\", "total_pairs": 7, "version": "4.0.0"}
    assert orjson.loads(line) == {"_meta": expected}
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (set(), "aaaaaaaa"),
        ({"bbbbbbbb"}, "aaaaaaaa"),
        ({"aaaaaaaa"}, "aaaaaaaa-0000"),
        ({"aaaaaaaa-0000"}, "aaaaaaaa"),
        ({"aaaaaaaa", "aaaaaaaa-0000"}, "aaaaaaaa-0000-4000"),
        ({str(A)[:n] for n in (8, 13, 18)}, "aaaaaaaa-0000-4000-8000"),
        ({str(A)[:n] for n in (8, 13, 18, 23)}, str(A)),
    ],
)
def test_a_suffix_is_as_short_as_the_others_allow(taken, expected):
    assert line_suffix(A, taken) == expected


@steady
@given(st.permutations(POOL))
def test_suffixes_given_in_turn_are_all_different(ids):
    taken: list[str] = []
    for id in ids:
        taken.append(line_suffix(id, taken))
    assert len(set(taken)) == len(ids)
    assert all(str(id).startswith(suffix) for id, suffix in zip(ids, taken, strict=True))


@steady
@given(conversations(A), st.sampled_from([8, 13, 18, 23, 36]), st.sampled_from([8, 13, 18, 23, 36]))
def test_another_suffix_gives_what_rendering_with_it_gives(value, old, new):
    pairs = orjson.loads(orjson.dumps(value))["training_pairs"]
    before, after = (example_lines(A, pairs, suffix=str(A)[:length]) for length in (old, new))
    assert with_suffix(before, str(A)[:old], str(A)[:new]) == after


def test_a_pair_id_that_looks_like_a_suffix_is_kept():
    value = conversation(A, turns=2)
    value["training_pairs"][1]["id"] = "x_aaaaaaaa"
    fragment = fragment_of(value)
    assert orjson.loads(fragment.lines)["id"] == "x_aaaaaaaa_aaaaaaaa"
    longer = orjson.loads(fragment.relabelled("aaaaaaaa-0000").lines)
    assert longer["id"] == "x_aaaaaaaa_aaaaaaaa-0000"
