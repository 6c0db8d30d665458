"""Names of training files, request ids, and keys of objects."""

import shlex
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.format import FORMATS
from domain.versions.naming import (
    INSTALLATION_KEY,
    as_argument,
    is_request_id,
    is_safe_key,
    name_key,
    name_problem,
    normal_name,
    rebuild_key,
    training_file_of,
    version_key,
)
from tests.domain.making import FILE_ID, steady


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Spring batch", "spring BATCH"),
        ("Spring batch", "  Spring \u00a0\t batch\n"),
        ("Spring batch", "Ｓｐｒｉｎｇ　ｂａｔｃｈ"),
        ("Größe", "GRÖSSE"),
        ("Gro\u0308ße", "Größe"),
        ("ﬁrst", "first"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("①", "1"),
        ("α\u0345\u0302", "α\u0302\u0345"),
        ("x²", "x2"),
    ],
)
def test_names_are_equal_up_to_case_width_form_and_white_space(one, other):
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("a b", "ab"), ("a-b", "a_b"), ("e", "é"), ("v1", "v2")]
)
def test_other_names_are_different(one, other):
    assert name_key(one) != name_key(other)


@steady
@given(st.text(max_size=20))
def test_a_name_is_the_same_in_every_form(name):
    forms = ("NFC", "NFD", "NFKC", "NFKD")
    assert {name_key(unicodedata.normalize(form, name)) for form in forms} == {name_key(name)}
    assert name_key(normal_name(name)) == name_key(name)
    assert normal_name(normal_name(name)) == normal_name(name)


@pytest.mark.parametrize(
    "name", ["a", "Spring batch 2026", "日本語", "Größe — “1”", "a:b*c?", "..", "x" * 120, "👍🏽"]
)
def test_a_name_may_be_any_visible_text(name):
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "\u00a0\u3000",
        "x" * 121,
        "a\nb",
        "a\tb",
        "a\rb",
        "a\x00b",
        "a\x1b[31mb",
        "a\x7fb",
        "a\x85b",
        "a\u202eb",
        "a\u2066b",
        "a\u200bb",
        "a\ufeffb",
        "a\u00adb",
        "a\u034fb",
        "\u3164",
        "\u2800",
        "a\u2028b",
        "a\u2029b",
        "a/b",
        "a\\b",
        "../a",
        "a\ud800",
        "\udc00",
    ],
)
def test_a_name_is_refused(name):
    assert name_problem(name)


@steady
@given(st.text(max_size=130))
def test_judging_a_name_never_fails(name):
    assert name_problem(name) is None or name_problem(name)
    name_key(name)


@pytest.mark.parametrize("text", ["a", "A-1_b", "0" * 100])
def test_a_request_id_may_be(text):
    assert is_request_id(text)


@pytest.mark.parametrize("text", ["", "a b", "a/b", "a.b", "a\n", "é", "١", "a\x00", "0" * 101])
def test_a_request_id_may_not_be(text):
    assert not is_request_id(text)


def test_a_versions_key_is_safe_and_its_own_for_every_attempt():
    keys = [
        version_key(FILE_ID, number, request_id=request_id, attempt=attempt, format="json")
        for number in (1, 2, 10**7)
        for request_id in ("r", "0" * 100)
        for attempt in ("00000000", "ffffffff")
    ]
    assert keys[0] == f"{FILE_ID}/v000001-r.00000000/training.json"
    assert len(set(keys)) == len(keys)
    assert all(map(is_safe_key, keys))


OWN_KEYS = [
    version_key(FILE_ID, number, request_id=request_id, attempt="0123abcd", format=format)
    for number in (1, 999_999, 10**6, 10**7)
    for request_id in ("r", "A-1_b", "0" * 100)
    for format in ("json", "jsonl")
]
SCRATCH_KEY = rebuild_key(FILE_ID, request_id="r", attempt="0123abcd", format="jsonl")


@pytest.mark.parametrize("key", [*OWN_KEYS, SCRATCH_KEY])
def test_a_key_of_ours_gives_its_training_file(key):
    assert is_safe_key(key)
    assert training_file_of(key) == FILE_ID


@steady
@given(
    st.uuids(),
    st.integers(1, 10**8),
    st.from_regex(r"[A-Za-z0-9_-]{1,100}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    st.sampled_from(FORMATS),
)
def test_every_key_that_is_made_is_recognised(id, number, request_id, attempt, format):
    key = version_key(id, number, request_id=request_id, attempt=attempt, format=format)
    assert training_file_of(key) == id
    key = rebuild_key(id, request_id=request_id, attempt=attempt, format=format)
    assert training_file_of(key) == id


@pytest.mark.parametrize(
    "key",
    [
        f"{FILE_ID}/training.json",
        f"{FILE_ID}/training.jsonl",
        f"{FILE_ID}/v1/training.json",
        f"{FILE_ID}/v000001/training.json",
        f"{FILE_ID}/v000001-r/training.json",
        f"{FILE_ID}/v000001-r.crashed/training.json",
        f"{FILE_ID}/v000001-r.0123ABCD/training.json",
        f"{FILE_ID}/v000001-r.0123abcde/training.json",
        f"{FILE_ID}/v000001-r.r.0123abcd/training.json",
        f"{FILE_ID}/v000001-.0123abcd/training.json",
        f"{FILE_ID}/v000001-{'0' * 101}.0123abcd/training.json",
        f"{FILE_ID}/v000000-r.0123abcd/training.json",
        f"{FILE_ID}/v0000001-r.0123abcd/training.json",
        f"{FILE_ID}/v1-r.0123abcd/training.json",
        f"{FILE_ID}/v٠٠٠٠٠١-r.0123abcd/training.json",
        f"{FILE_ID}/v000001-r.0123abcd/training.csv",
        f"{FILE_ID}/v000001-r.0123abcd/training.json.bak",
        f"{FILE_ID}/v000001-r.0123abcd/training.json\n",
        f"{FILE_ID}/v000001-r.0123abcd/changed.json",
        f"{FILE_ID}/rebuild-r.0123abcd/training.json",
        f"{str(FILE_ID).upper()}/v000001-r.0123abcd/training.json",
        f"{FILE_ID.hex}/v000001-r.0123abcd/training.json",
        f"backup/{FILE_ID}/v000001-r.0123abcd/training.json",
        f"/{FILE_ID}/v000001-r.0123abcd/training.json",
        "v000001-r.0123abcd/training.json",
        INSTALLATION_KEY,
        "",
    ],
)
def test_a_key_of_any_other_shape_is_not_ours(key):
    assert training_file_of(key) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Spring talks", ["Spring talks"]),
        ("--force", ["--", "--force"]),
        ("-x 'y'", ["--", "-x 'y'"]),
        ("שיחות $(id)", ["שיחות $(id)"]),
    ],
)
def test_a_name_in_a_command_is_one_argument_and_no_option(name: str, words: list[str]):
    assert shlex.split(as_argument(name)) == words
