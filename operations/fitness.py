"""Report what a model would learn from a version."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import Engine

from db.engine import reading, writing
from db.figures import known_figures, record_figures, stored_figures
from db.sides import likenesses_of_file
from db.versions import find_version, members
from domain.errors import Unreachable
from domain.exports.folder import training_settings
from domain.exports.likeness import Likeness
from domain.exports.summary import ExportSummary
from domain.fitness import RULES
from domain.fitness.alike import leaks, near_duplicates
from domain.fitness.collecting import Collector, balance
from domain.fitness.figures import ConversationFigures, Counting, figures_of
from domain.fitness.report import (
    MAX_LISTED,
    FitnessReport,
    LikenessReport,
    TokenizerReport,
    changes,
    split_of,
)
from domain.versions.record import Member, VersionRecord
from operations.conversations import read_conversations
from operations.counting import counting
from operations.splits import sides_of, store_likenesses
from storage.store import ObjectStore

CHUNK = 200
"""Conversations whose figures are in memory, and are stored in one transaction."""
Progress = Callable[[int, int], None]
"""Takes how many conversations are computed, and of how many."""

T = TypeVar("T")


def missing_figures(engine: Engine, version: VersionRecord) -> int:
    """Count the conversations of the version whose figures a report would have to compute."""
    rules = counting().rules(RULES)
    with reading(engine) as connection:
        digests = [member.json_sha256 for member in members(connection, version)]
        return len(digests) - len(known_figures(connection, digests, rules=rules))


def fitness(
    engine: Engine,
    store: ObjectStore,
    version: VersionRecord,
    *,
    progress: Progress = lambda _, __: None,
) -> FitnessReport:
    """Compute the report, and what has changed since the version before.

    Figures that are stored are not computed again. Raises Damaged before a conversation that is not
    what the version records.
    """
    report = _report(engine, store, version, progress)
    if version.number == 1:
        return report
    with reading(engine) as connection:
        before = find_version(connection, version.training_file, version.number - 1)
    if before.released_at is not None:
        return report
    earlier = _report(engine, store, before, progress)
    return report.model_copy(
        update={"compared_with": before.number, "changes": changes(earlier, report)}
    )


def _report(
    engine: Engine, store: ObjectStore, version: VersionRecord, progress: Progress
) -> FitnessReport:
    counted = counting()
    with reading(engine) as connection:
        held = list(members(connection, version))
    _store_figures(engine, store, version, held, counted, progress)
    store_likenesses(engine, store, version, held)
    summary = _summary(engine, held, counted)
    collector = Collector(summary)
    for member, figures in _figures(engine, held, counted):
        collector.add(str(member.conversation_id), figures)
    contents = _likenesses(engine, version, held)
    near = list(near_duplicates(contents.items()))
    sides = {str(id): side for id, side in sides_of(engine, version).items()}
    return FitnessReport(
        training_file=version.training_file,
        version=version.number,
        conversations=len(held),
        targets=collector.targets,
        target_tokens=collector.target_tokens,
        verdicts=tuple(tally.verdict() for tally in collector.tallies),
        settings=training_settings(summary, sided=bool(sides)).decode(),
        lengths=collector.lengths(),
        damage=collector.damage(),
        export=collector.export(),
        split=split_of(
            {
                str(member.conversation_id): member.statistics.emotional_arc_key
                for member in held
                if member.statistics.example_count
            },
            sides,
            list(leaks(contents.items(), sides)),
        ),
        likeness=LikenessReport(
            near_duplicate_count=len(near),
            near_duplicates=tuple(sorted(near, key=lambda alike: -alike.score)[:MAX_LISTED]),
            openings=collector.openings(),
            closings=collector.closings(),
        ),
        personal=collector.personal(counted.telephones),
        balance=balance(Counter(map(_cell, held)), collector.without_information()),
        tokenizer=TokenizerReport(name=counted.tokens.name, is_exact=counted.tokens.is_exact),
    )


def _cell(member: Member) -> tuple[str, str, str]:
    statistics = member.statistics
    return statistics.persona_key, statistics.emotional_arc_key, statistics.training_topic_key


def _store_figures(
    engine: Engine,
    store: ObjectStore,
    version: VersionRecord,
    held: Sequence[Member],
    counted: Counting,
    progress: Progress,
) -> None:
    rules = counted.rules(RULES)
    digests = [member.json_sha256 for member in held]
    with reading(engine) as connection:
        wanted = set(digests) - known_figures(connection, digests, rules=rules)
    computed = (
        (member.json_sha256, figures_of(conversation, counted).model_dump(mode="json"))
        for member, conversation in read_conversations(engine, store, version, held, wanted=wanted)
    )
    done = 0
    while chunk := dict(islice(computed, CHUNK)):
        with writing(engine) as connection:
            record_figures(connection, chunk, rules=rules)
        done += len(chunk)
        progress(done, len(wanted))


def _summary(engine: Engine, held: Sequence[Member], counted: Counting) -> ExportSummary:
    """Return the summary that the version's export would have, as far as settings need it."""
    longest = max((f.estimated_tokens for _, f in _figures(engine, held, counted)), default=0)
    return ExportSummary(longest_tokens=longest)


def _figures(
    engine: Engine, held: Sequence[Member], counted: Counting
) -> Iterator[tuple[Member, ConversationFigures]]:
    rules = counted.rules(RULES)
    for start in range(0, len(held), CHUNK):
        chunk = held[start : start + CHUNK]
        with reading(engine) as connection:
            stored = stored_figures(connection, [m.json_sha256 for m in chunk], rules=rules)
        if any(member.json_sha256 not in stored for member in chunk):
            raise _removed_meanwhile()
        for member in chunk:
            yield member, ConversationFigures.model_validate(stored[member.json_sha256])


def _likenesses(
    engine: Engine, version: VersionRecord, held: Sequence[Member]
) -> Mapping[str, Likeness]:
    """Return the likenesses in the version's order; about 6 kB a conversation."""
    digests = {member.json_sha256 for member in held}
    with reading(engine) as connection:
        found = {
            digest: likeness
            for _, digest, likeness in likenesses_of_file(connection, version.training_file_id)
            if digest in digests
        }
    if digests - found.keys():
        raise _removed_meanwhile()
    return {str(member.conversation_id): found[member.json_sha256] for member in held}


def _removed_meanwhile() -> Unreachable:
    return Unreachable(
        "Maintenance removed figures of this version while they were read, as the version was "
        "released or its file deleted. Nothing was changed. Ask again."
    )
