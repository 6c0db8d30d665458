"""Add up the figures of a version's conversations, one after the other."""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from domain.exports.summary import ExportSummary
from domain.fitness.figures import ConversationFigures
from domain.fitness.report import (
    MAX_LISTED,
    BalanceReport,
    Cell,
    DamagedPlace,
    DamageReport,
    ExportReport,
    Lengths,
    PersonalPlace,
    PersonalReport,
    Phrase,
    Verdict,
    WholeAt,
)
from domain.fitness.trainers import Speaker, Spoken, Trainer, learnt, spoken, trainers

CURVE = (512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12_288, 16_384, 32_768, 65_536)
MIN_TIMES, MIN_SHARE, MAX_PHRASES = 3, 0.02, 10
SPEAKERS: tuple[Speaker, ...] = ("system", "user", "assistant")

T = TypeVar("T")


class Collector:
    """Holds counts, the lengths of all targets, and as many findings as a report lists."""

    def __init__(self, summary: ExportSummary) -> None:
        """Take the version's summary, for the length that our settings give the trainers."""
        self.tallies = [Tally(trainer) for trainer in trainers(summary.max_length)]
        self.targets = self.target_tokens = 0
        self._ends, self._lengths = array("L"), array("L")
        self._answers: set[str] = set()
        self._damage: Counter[str] = Counter()
        self._damaged_targets = self._after_damage = 0
        self._places: list[DamagedPlace] = []
        self._personal: Counter[str] = Counter()
        self._personal_places: list[PersonalPlace] = []
        self._openings: Counter[str] = Counter()
        self._closings: Counter[str] = Counter()
        self._values: dict[str, dict[str, None]] = {}
        self._left: dict[str, list[str]] = {
            "unanswered": [], "without_target": [], "not_a_chat": []
        }  # fmt: skip

    def add(self, conversation_id: str, figures: ConversationFigures) -> None:
        self._add_chat(conversation_id, figures)
        self._add_damage(conversation_id, figures)
        self._openings.update(figures.openings)
        self._closings.update(figures.closings)
        for found in figures.personal:
            self._personal[found.kind] += 1
            if len(self._personal_places) < MAX_LISTED:
                place = PersonalPlace(conversation_id=conversation_id, **found.model_dump())
                self._personal_places.append(place)
        for field, values in figures.values.items():
            known = self._values.setdefault(field, {})
            known.update(dict.fromkeys(islice(values, max(0, 2 - len(known)))))

    def _add_chat(self, conversation_id: str, figures: ConversationFigures) -> None:
        if figures.not_a_chat:
            self._left["not_a_chat"].append(conversation_id)
        elif not figures.turns:
            self._left["without_target"].append(conversation_id)
        elif figures.unanswered:
            self._left["unanswered"].append(conversation_id)
        repeats = list(self._repeats(figures.answers))
        self.targets += len(repeats)
        if not figures.turns:
            return
        turns = spoken(figures.system_tokens, figures.turns)
        self._lengths.append(turns[-1].after)
        targets = [turn for turn in turns if turn.speaker == "assistant"]
        self._ends.extend(turn.after for turn in targets)
        self.target_tokens += sum(turn.tokens for turn in targets)
        for tally in self.tallies:
            tally.add(turns, repeats)

    def _repeats(self, answers: Iterable[str]) -> Iterator[bool]:
        for answer in answers:
            yield answer in self._answers
            self._answers.add(answer)

    def _add_damage(self, conversation_id: str, figures: ConversationFigures) -> None:
        for turn in figures.damaged:
            self._damage[f"{turn.part} {turn.code}"] += 1
            if len(self._places) < MAX_LISTED:
                place = DamagedPlace(conversation_id=conversation_id, **turn.model_dump())
                self._places.append(place)
        own = {turn.turn for turn in figures.damaged if turn.part == "target_response"}
        self._damaged_targets += len(own)
        self._after_damage += len(figures.after_damage)

    def lengths(self) -> Lengths:
        if not self._lengths:
            return Lengths()
        lengths, ends = sorted(self._lengths), sorted(self._ends)
        longest = next((length for length in CURVE if length >= lengths[-1]), lengths[-1])
        return Lengths(
            median=_quantile(lengths, 50),
            percentile_95=_quantile(lengths, 95),
            maximum=lengths[-1],
            curve=tuple(
                WholeAt(max_length=length, whole=bisect_right(ends, length))
                for length in CURVE
                if length <= longest
            ),
        )

    def damage(self) -> DamageReport:
        return DamageReport(
            targets=self.targets,
            damaged_targets=self._damaged_targets,
            after_damage=self._after_damage,
            clean=self.targets - self._damaged_targets - self._after_damage,
            counts=dict(sorted(self._damage.items())),
            places=tuple(self._places),
        )

    def export(self) -> ExportReport:
        return ExportReport(
            **{name: len(ids) for name, ids in self._left.items()},
            listed={name: tuple(ids[:MAX_LISTED]) for name, ids in self._left.items()},
        )

    def openings(self) -> tuple[Phrase, ...]:
        return self._frequent(self._openings)

    def closings(self) -> tuple[Phrase, ...]:
        return self._frequent(self._closings)

    def _frequent(self, phrases: Counter[str]) -> tuple[Phrase, ...]:
        least = max(MIN_TIMES, MIN_SHARE * self.targets)
        frequent = sorted(phrases.items(), key=lambda item: (-item[1], item[0]))[:MAX_PHRASES]
        return tuple(Phrase(text=text, times=times) for text, times in frequent if times >= least)

    def personal(self, telephones: str) -> PersonalReport:
        return PersonalReport(
            counts=dict(sorted(self._personal.items())),
            places=tuple(self._personal_places),
            telephones=telephones,
        )

    def without_information(self) -> dict[str, str]:
        return {field: next(iter(v)) for field, v in sorted(self._values.items()) if len(v) == 1}


class Tally:
    """Counts what one trainer makes of all targets."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._fates: Counter[str] = Counter()
        self._repeated = 0
        self._tokens: Counter[Speaker] = Counter()

    def add(self, turns: list[Spoken], repeats: list[bool]) -> None:
        fates, tokens = learnt(self._trainer, turns)
        self._fates.update(fates)
        self._tokens.update(tokens)
        self._repeated += sum(
            repeat and fate != "dropped" for repeat, fate in zip(repeats, fates, strict=True)
        )

    def verdict(self) -> Verdict:
        trainer: dict[str, Any] = self._trainer._asdict()
        return Verdict(
            trainer=trainer["name"],
            setting=trainer["setting"],
            max_length=trainer["max_length"],
            whole=self._fates["whole"],
            cut=self._fates["cut"],
            dropped=self._fates["dropped"],
            repeated=self._repeated,
            trained_tokens={speaker: self._tokens[speaker] for speaker in SPEAKERS},
            source=trainer["source"],
        )


def balance(
    cells: Counter[tuple[str, str, str]], without_information: dict[str, str]
) -> BalanceReport:
    """Rank the combinations of persona, arc and topic."""
    ranked = sorted(cells.items(), key=lambda item: (-item[1], item[0]))
    return BalanceReport(
        cells=tuple(
            Cell(persona=persona, arc=arc, topic=topic, conversations=count)
            for (persona, arc, topic), count in ranked[:MAX_LISTED]
        ),
        cell_count=len(cells),
        without_information=without_information,
    )


def _quantile(ordered: list[int], percent: int) -> int:
    """Return the smallest length that `percent` of all do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
