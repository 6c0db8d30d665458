"""Exports given to the library that people train with (`make trainers`)."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.exporting import exported, real_library, what_they_make_of_it

pytestmark = pytest.mark.trainers


@pytest.fixture(scope="module")
def answers(stack, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Export the real conversations, and return what TRL trains on."""
    _, ids, targets = real_library(shared)
    folder = tmp_path_factory.mktemp("export") / "talks"
    length = exported("Talks", ids, folder)["max_length"]
    found = what_they_make_of_it(".venv-trainers", "training.py", folder, length)
    return found | {"targets": targets}


@pytest.mark.parametrize("export", ["messages", "prompt-completion"])
def test_trl_trains_the_approved_answers_each_once_and_nothing_else(
    answers: dict[str, Any], export: str
) -> None:
    assert Counter(answers["trained"][export]) == Counter(answers["targets"])


def test_trl_cuts_answers_off_at_its_defaults(answers: dict[str, Any]) -> None:
    """This is why an export says which length to set: without it, TRL says nothing."""
    whole = Counter(answers["trained"]["prompt-completion at TRL's defaults"])
    assert (whole & Counter(answers["targets"])).total() < len(answers["targets"]) // 2
