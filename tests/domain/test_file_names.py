"""Names of downloads: those of training files, in any script, and no two alike."""

import re
from urllib.parse import unquote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.versions.file_names import (
    content_disposition,
    download_name,
    export_name,
    file_stem,
)
from domain.versions.naming import name_key, name_problem
from soak.building import conversation
from tests.domain.making import A, TrainingFile, steady

ID = UUID("1a2b3c4d-0000-4000-8000-000000000000")
OTHER = UUID("5e6f7a8b-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    "name",
    ["Spring batch", "אביב 2026", "Größe № 5", "日本語", "👍🏽 talks", "a-b_c.d", "100 % $x"],
)
def test_a_name_is_kept_in_its_own_script(name):
    assert file_stem(name, ID) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a:b*c?", "a_b_c_-1a2b3c4d"),
        ("../../etc/passwd", "_._.._etc_passwd-1a2b3c4d"),
        ('a"; filename="x.exe', "a_; filename=_x.exe-1a2b3c4d"),
        ("a\x00b\x1b", "a_b_-1a2b3c4d"),
        ("a\u202egpj.exe", "a_gpj.exe-1a2b3c4d"),
        ("-rf", "_rf-1a2b3c4d"),
        (".hidden", "_hidden-1a2b3c4d"),
        ("~", "_-1a2b3c4d"),
        ("\ud800", "_-1a2b3c4d"),
        ("", "1a2b3c4d"),
    ],
)
def test_a_name_that_files_cannot_have_gets_the_files_id(name, expected):
    assert file_stem(name, ID) == expected


def test_the_name_of_before_a_rename_gets_the_files_id():
    file = TrainingFile("Spring")
    file.add(conversation(A))
    version = file.version
    assert download_name(version, "json") == "Spring-v1.json"
    renamed = version.model_copy(update={"training_file": "אביב"})
    short = str(version.training_file_id)[:8]
    assert download_name(renamed, "jsonl") == f"Spring-{short}-v1.jsonl"
    assert export_name(renamed, "messages.jsonl") == "אביב-v1-messages.jsonl"


names = st.text(min_size=1, max_size=120).filter(lambda name: name_problem(name) is None)
tricky = st.text(alphabet="aA-_ .:?é\u00a0אב", min_size=1, max_size=4)


@steady
@given(names | tricky, names | tricky)
def test_two_training_files_never_share_a_name(one, other):
    """Two names that differ for trainfold differ for file systems that fold case, too."""
    stems = file_stem(one, ID).casefold(), file_stem(other, OTHER).casefold()
    assert (stems[0] == stems[1]) <= (name_key(one) == name_key(other))


@steady
@given(st.text())
def test_a_stem_is_safe_for_anything(name):
    stem = file_stem(name, ID)
    assert len(stem.encode()) <= 200
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', stem)
    assert not stem.startswith((".", "-", "~", " "))


@pytest.mark.parametrize("character", ["℡", "㏂", "W", "𝒳", "א"])
def test_the_longest_names_fit_into_a_file_system(character):
    stem = file_stem(character * 120, ID)
    assert len(f"{stem}-v1000000-prompt-completion.validation.parquet".encode()) < 255


@steady
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_header_is_ascii_and_brings_the_name_back(name):
    header = content_disposition(name)
    matched = re.fullmatch(
        r"attachment; filename=\"([A-Za-z0-9 ._-]*)\"; filename\*=UTF-8''([A-Za-z0-9._~%-]*)",
        header,
    )
    assert matched
    assert len(matched[1]) == len(name)
    assert unquote(matched[2]) == name
