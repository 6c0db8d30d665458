"""The report of 58 real conversations, whose figures were also counted by hand."""

from uuid import UUID

import pytest

from domain.fitness.report import FitnessReport
from domain.versions.record import VersionRecord
from operations.counting import counting
from operations.fitness import fitness, missing_figures
from operations.splits import assigned_sides
from tests.asking import carry_out, request
from tests.conftest import Library

if not counting().tokens.is_exact:
    pytest.skip("the extra `fitness` is not installed", allow_module_level=True)


@pytest.fixture
def versions(shared, library: Library) -> list[VersionRecord]:
    made = []
    for batch in ("batch-b", "batch-a", "batch-c"):
        files = sorted((shared / "corpus" / batch).glob("*.json"))
        ids = [library.add(UUID(file.stem), data=file.read_bytes()) for file in files]
        made.append(carry_out(request("Corpus", ids, new=not made)))
    return made


def of(report: FitnessReport, trainer: str, setting: str) -> tuple[int, int, int, dict]:
    (verdict,) = (v for v in report.verdicts if (v.trainer, v.setting) == (trainer, setting))
    return verdict.whole, verdict.cut, verdict.dropped, verdict.trained_tokens


def test_the_report_of_58_real_conversations(versions, engine, training_files):
    calls: list[tuple[int, int]] = []
    assigned_sides(engine, training_files, versions[0], validation=0.1)
    report = fitness(engine, training_files, versions[2], progress=lambda *n: calls.append(n))
    assert calls == [(58, 58)]
    assert (report.conversations, report.targets, report.target_tokens) == (58, 174, 77_533)
    # What TRL was seen to train with a vocabulary of its own: 62 whole, 40 cut off, 72 not at all.
    *fates, tokens = of(report, "TRL, prompt-completion", "defaults")
    assert fates == [64, 44, 66]
    assert (tokens["system"], tokens["user"]) == (0, 0)
    *_, tokens = of(report, "TRL, messages", "defaults")
    assert min(tokens["system"], tokens["user"]) > 1_000
    assert of(report, "axolotl, messages", "defaults")[2] == 172
    for verdict in report.verdicts:
        if verdict.setting == "ours":
            assert verdict.is_fit
            assert (verdict.whole, verdict.trained_tokens["assistant"]) == (174, 77_533)
    assert report.lengths.maximum < 8_192
    assert {point.max_length: point.whole for point in report.lengths.curve}[1024] == 64
    assert report.lengths.curve[-1].whole == 174
    assert (report.damage.damaged_targets, report.damage.after_damage) == (50, 0)
    assert report.damage.clean == 124
    assert (report.export.unanswered, report.export.not_a_chat) == (20, 0)
    assert report.split.leak_count == report.likeness.near_duplicate_count == 0
    assert sum(arc.unassigned for arc in report.split.arcs) == 58 - versions[0].conversation_count
    # There is no personal data in these: whatever is found is found wrongly.
    assert report.personal.counts == {}
    assert report.balance.without_information["human_reviewed"] == "False"
    assert report.tokenizer.name == "Qwen2.5"
    assert report.compared_with == 2
    assert {c.figure: (c.before, c.after) for c in report.changes}["conversations"] == (54, 58)


def test_only_new_conversations_are_computed(versions, engine, training_files):
    fitness(engine, training_files, versions[0])
    assert missing_figures(engine, versions[0]) == 0
    assert missing_figures(engine, versions[2]) == 58 - versions[0].conversation_count
    calls: list[tuple[int, int]] = []
    first = fitness(engine, training_files, versions[2], progress=lambda *n: calls.append(n))
    assert calls == [(22, 22)]
    assert fitness(engine, training_files, versions[2]) == first
