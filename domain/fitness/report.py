"""The report of a version: its document is a contract, so the fields' names are."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import computed_field

from domain.exports import Side
from domain.fitness.trainers import Speaker
from domain.frozen import FrozenModel

MAX_LISTED = 100
"""Findings that a list holds; its count tells how many there are."""


class Verdict(FrozenModel):
    """What one trainer learns with one of its settings."""

    trainer: str
    setting: Literal["defaults", "ours"]
    max_length: int
    whole: int
    cut: int
    dropped: int
    repeated: int
    """Of those that are learnt, the ones whose words were the target of an earlier turn, too."""
    trained_tokens: dict[Speaker, int]
    source: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_fit(self) -> bool:
        """Tell whether all approved answers are learnt whole, and nothing else."""
        others = self.trained_tokens["system"] + self.trained_tokens["user"]
        return not (self.cut or self.dropped or others)


class WholeAt(FrozenModel):
    max_length: int
    whole: int


class Lengths(FrozenModel):
    """In tokens, of conversations as a trainer is given them."""

    median: int = 0
    percentile_95: int = 0
    maximum: int = 0
    curve: tuple[WholeAt, ...] = ()


class DamagedPlace(FrozenModel):
    conversation_id: str
    turn: int
    part: str
    code: str


class DamageReport(FrozenModel):
    targets: int
    damaged_targets: int
    after_damage: int
    """Sound targets that follow a damaged turn."""
    clean: int
    counts: dict[str, int]
    """By part and code."""
    places: tuple[DamagedPlace, ...]


class ExportReport(FrozenModel):
    """Conversations that the export changed or left out."""

    unanswered: int
    without_target: int
    not_a_chat: int
    listed: dict[str, tuple[str, ...]]


class ArcSizes(FrozenModel):
    arc: str
    train: int
    validation: int
    unassigned: int


class Alike(FrozenModel):
    """Two conversations of which the second is like the first; 1 is word for word."""

    first: str
    second: str
    score: float


class Leak(FrozenModel):
    """A conversation that validates, and one like it that is trained."""

    validation: str
    train: str
    why: Literal["near-duplicate", "same answer"]


class SplitReport(FrozenModel):
    is_assigned: bool
    arcs: tuple[ArcSizes, ...]
    without_validation: tuple[str, ...]
    leak_count: int
    leaks: tuple[Leak, ...]


class Phrase(FrozenModel):
    text: str
    times: int


class LikenessReport(FrozenModel):
    near_duplicate_count: int
    near_duplicates: tuple[Alike, ...]
    """Each with the conversation before it that it is most like."""
    openings: tuple[Phrase, ...]
    closings: tuple[Phrase, ...]


class PersonalPlace(FrozenModel):
    conversation_id: str
    turn: int
    part: str
    kind: str
    masked: str


class PersonalReport(FrozenModel):
    counts: dict[str, int]
    places: tuple[PersonalPlace, ...]
    telephones: str
    """What they were searched with."""


class Cell(FrozenModel):
    persona: str
    arc: str
    topic: str
    conversations: int


class BalanceReport(FrozenModel):
    cells: tuple[Cell, ...]
    """Largest first."""
    cell_count: int
    without_information: dict[str, str]
    """Fields of the training metadata with one value in all pairs, and this value."""


class TokenizerReport(FrozenModel):
    name: str
    is_exact: bool


class Change(FrozenModel):
    """A number that differs from the version before."""

    figure: str
    before: int | None
    after: int | None


class FitnessReport(FrozenModel):
    training_file: str
    version: int
    conversations: int
    targets: int
    target_tokens: int
    verdicts: tuple[Verdict, ...]
    settings: str
    """Markdown with the configuration of each trainer, as exports have it."""
    lengths: Lengths
    damage: DamageReport
    export: ExportReport
    split: SplitReport
    likeness: LikenessReport
    personal: PersonalReport
    balance: BalanceReport
    tokenizer: TokenizerReport
    compared_with: int | None = None
    changes: tuple[Change, ...] = ()


def changes(before: FitnessReport, after: FitnessReport) -> tuple[Change, ...]:
    """Return the numbers that differ, in the report's order."""
    old, new = _numbers(before), _numbers(after)
    return tuple(
        Change(figure=name, before=old.get(name), after=new.get(name))
        for name in dict.fromkeys([*new, *old])
        if old.get(name) != new.get(name)
    )


def _numbers(report: FitnessReport) -> Mapping[str, int]:
    numbers: dict[str, int] = {
        "conversations": report.conversations,
        "targets": report.targets,
        "target tokens": report.target_tokens,
    }
    for verdict in report.verdicts:
        for field in ("max_length", "whole", "cut", "dropped", "repeated"):
            numbers[f"{verdict.trainer} ({verdict.setting}): {field}"] = getattr(verdict, field)
    for field in ("median", "percentile_95", "maximum"):
        numbers[f"length: {field}"] = getattr(report.lengths, field)
    for field in ("damaged_targets", "after_damage", "clean"):
        numbers[f"damage: {field}"] = getattr(report.damage, field)
    for field in ("unanswered", "without_target", "not_a_chat"):
        numbers[f"export: {field}"] = getattr(report.export, field)
    for arc in report.split.arcs:
        for field in ("train", "validation", "unassigned"):
            numbers[f"split, {arc.arc}: {field}"] = getattr(arc, field)
    numbers["split: leaks"] = report.split.leak_count
    numbers["near-duplicates"] = report.likeness.near_duplicate_count
    numbers |= {f"personal data: {kind}": n for kind, n in report.personal.counts.items()}
    return numbers


def split_of(
    arcs: Mapping[str, str],
    sides: Mapping[str, Side],
    leaks: Sequence[Leak],
) -> SplitReport:
    """Count sides by arc; `arcs` are of all conversations with an answer, by id."""
    rows: dict[str, dict[str, int]] = {}
    for id, arc in sorted(arcs.items(), key=lambda item: item[1]):
        row = rows.setdefault(arc, {"train": 0, "validation": 0, "unassigned": 0})
        row[sides.get(id, "unassigned")] += 1
    return SplitReport(
        is_assigned=bool(sides),
        arcs=tuple(ArcSizes(arc=arc, **row) for arc, row in rows.items()),
        without_validation=tuple(
            arc for arc, row in rows.items() if sides and not row["validation"]
        ),
        leak_count=len(leaks),
        leaks=tuple(leaks[:MAX_LISTED]),
    )
