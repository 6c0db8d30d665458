"""Names of training files, request ids, and the safe names made from them."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.versions.naming import (
    download_name,
    is_request_id,
    is_safe_key,
    name_key,
    name_problem,
    normal_name,
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


@steady
@given(st.text(), st.integers(1, 10**6), st.sampled_from(["json", "jsonl"]))
def test_a_download_name_is_ascii_and_safe_for_anything(name, number, format):
    made = download_name(name, number, format)
    assert len(made) < 150
    assert re.fullmatch(rf"[A-Za-z0-9_][A-Za-z0-9_-]*-v{number}\.{format}", made)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Spring batch", "Spring-batch-v2.json"),
        ("Größe № 5", "Groe-No-5-v2.json"),
        ("日本語", "training-file-v2.json"),
        ("../../etc/passwd", "etc-passwd-v2.json"),
        ('a"; filename="x.exe', "a-filename-x-exe-v2.json"),
        ("a\r\nSet-Cookie: x", "a-Set-Cookie-x-v2.json"),
        ("-rf", "rf-v2.json"),
        ("\ud800", "training-file-v2.json"),
    ],
)
def test_a_download_name_keeps_what_it_can(name, expected):
    assert download_name(name, 2, "json") == expected


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


@pytest.mark.parametrize("character", ["℡", "㏂", "W"])
def test_a_download_name_fits_into_a_file_system(character):
    assert len(download_name(character * 120, 1, "jsonl").encode()) < 150
