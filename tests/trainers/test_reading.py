"""Exports given to the libraries that read them (`make consumers`)."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from soak.building import as_bytes, conversation
from tests.trainers.exporting import exported, real_library, what_they_make_of_it

pytestmark = pytest.mark.consumers
ROWS = {"messages": 58, "prompt-completion": 174, "sharegpt": 58, "examples": 174}
OTHER_ROWS = {"messages": 3, "prompt-completion": 6, "sharegpt": 3, "examples": 6}


@pytest.fixture(scope="module")
def answers(stack, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Export the real conversations and three others, and return what the libraries make of it."""
    library, ids, targets = real_library(shared)
    others = library.add_many(3)
    noted = conversation(others[2])
    noted["training_pairs"][1]["training_metadata"]["reviewer_notes"] = "Good."
    noted["training_pairs"][1]["zebra"] = {"none": None}
    library.store.put(f"tests/{others[2]}.json", as_bytes(noted), content_type="application/json")
    library.batch(others[0])
    folder = tmp_path_factory.mktemp("exports")
    exported("Talks", ids, folder / "talks")
    exported("Others", others, folder / "others")
    found = what_they_make_of_it(
        ".venv-consumers", "reading.py", folder / "talks", folder / "others"
    )
    return found | {"approved": targets}


def test_every_library_reads_every_row(answers: dict[str, Any]) -> None:
    assert answers["rows"] == answers["polars"] == answers["duckdb"] == ROWS


def test_the_card_has_a_configuration_for_each_shape_that_datasets_can_read_from_it(
    answers: dict[str, Any],
) -> None:
    assert answers["configs"] == ["messages", "prompt-completion", "sharegpt"]


def test_two_files_have_the_same_features_as_one(answers: dict[str, Any]) -> None:
    assert answers["appended"] == {
        config: {"rows": rows + OTHER_ROWS[config], "same": True} for config, rows in ROWS.items()
    }
    assert answers["arrow"] == 180


def test_mistral_and_openai_refuse_no_conversation(answers: dict[str, Any]) -> None:
    assert (answers["mistral"], answers["openai"]) == ([], [])


def test_the_table_holds_each_approved_answer_once_and_can_be_asked(
    answers: dict[str, Any],
) -> None:
    assert Counter(answers["targets"]) == Counter(answers["approved"])
    rows, quality, conversations, shortest, role = answers["labels"]["sql"]
    assert (rows, conversations, shortest, role) == (174, 58, 2, "assistant")
    assert 1 <= quality <= 5
    assert (answers["labels"]["ids"], answers["labels"]["extra"]) == (174, 174)
