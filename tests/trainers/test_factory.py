"""Exports given to LLaMA-Factory, which needs an environment of its own (`make trainers-full`)."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.fitness.trainers import Trainer, learnt, spoken, trainers
from tests.trainers.exporting import exported, ran, real_library

pytestmark = pytest.mark.trainers_full
LENGTH = 2048
ROLES = {"human": "user", "gpt": "assistant"}


@pytest.fixture(scope="module")
def answers(stack, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Export the real conversations, and return what LLaMA-Factory trains on."""
    _, ids, targets = real_library(shared)
    folder = tmp_path_factory.mktemp("export") / "talks"
    length = exported("Talks", ids, folder)["max_length"]
    document = folder.with_name("document.json")
    ran(".venv-trainers-full", "factory.py", folder, "conversations", length, document)
    found = json.loads(document.read_bytes())
    lines = (folder / "sharegpt.jsonl").read_text(encoding="utf-8").splitlines()
    roles = [[ROLES[turn["from"]] for turn in json.loads(line)["conversations"][1:]]
             for line in lines]  # fmt: skip
    return found | {"targets": targets, "roles": roles}


def test_llama_factory_trains_the_approved_answers_each_once_and_nothing_else(
    answers: dict[str, Any],
) -> None:
    assert len(answers["targets"]) == 174
    assert Counter(answers["trained"]) == Counter(answers["targets"])
    assert 0 < answers["loss"] < 20


def test_the_report_says_what_llama_factory_makes_of_them_at_its_defaults(
    answers: dict[str, Any],
) -> None:
    fates = Counter(fates_by_rule(answers["lengths"], answers["roles"]))
    trained = Counter(answers["trained at its defaults"])
    whole = (trained & Counter(answers["targets"])).total()
    assert (whole, trained.total() - whole) == (fates["whole"], fates["cut"])
    assert fates["cut"] > 0
    assert fates["dropped"] == len(answers["targets"]) - trained.total() > 0


def fates_by_rule(lengths: Sequence[list[int]], roles: Sequence[list[str]]) -> Iterator[str]:
    for (system, *counts), speakers in zip(lengths, roles, strict=True):
        turns = spoken(system, list(zip(speakers, counts, strict=True)))
        yield from learnt(at_its_defaults(), turns).fates


def at_its_defaults() -> Trainer:
    return next(
        trainer
        for trainer in trainers(LENGTH)
        if trainer.name.startswith("LLaMA-Factory") and trainer.setting == "defaults"
    )
