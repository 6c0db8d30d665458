"""Whether the numbers and warnings of a version follow from its sources, counted anew."""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any
from uuid import UUID

from soak.evidence import Contents
from soak.planting import PlantedWarning
from soak.revision import Revision, Sums
from soak.tally import Finding, Flaw
from soak.tokens import JsonObject, Number

DISTRIBUTION = {
    "personas": "persona_key",
    "emotional_arcs": "emotional_arc_key",
    "training_topics": "training_topic_key",
}


def about_numbers(
    version: Mapping[str, Any],
    members: Sequence[Mapping[str, Any]],
    contents: Contents,
    revisions: Sequence[Revision],
) -> Iterator[Finding]:
    """Compare header, first line, version row and member rows with the sources' own sums."""
    sums = Sums.over(revision.sums for revision in revisions)
    what = f"version {version['number']}"
    metadata = contents.metadata
    expected_header = {
        "total_conversations": len(revisions),
        "total_training_pairs": sums.pairs,
        "quality_summary": _quality_summary(sums),
        "scaffolding_distribution": _distribution(revisions),
    }
    for key, expected in expected_header.items():
        yield from _differs(f"{key} in the JSON of {what}", metadata[key], expected)
    announced = contents.announced["total_pairs"]
    yield from _differs(f"total_pairs in the JSONL of {what}", announced, sums.examples)
    expected_row = {
        "conversation_count": len(revisions),
        "pair_count": sums.pairs,
        "example_count": sums.examples,
        "statistics": _row_statistics(revisions, sums),
    }
    for column, value in expected_row.items():
        yield from _differs(f"{column} of {what}", version[column], value)
    for member, revision in zip(members, revisions, strict=True):
        yield from _about_member(what, member, revision)


def about_warnings(
    version: Mapping[str, Any],
    profile: JsonObject,
    added: Sequence[Sequence[Revision]],
    *,
    unread: Collection[UUID] = (),
) -> Iterator[Finding]:
    """Compare a version's warnings with those that its sources must give.

    `added` has for each conversation the revisions that may have been read; `unread` are those
    that a rebuild may not have read at all.
    """
    recorded: dict[str, Counter[PlantedWarning]] = {}
    for warning in version["warnings"]:
        found = PlantedWarning(warning["code"], warning["path"], warning["count"])
        recorded.setdefault(warning["conversation_id"], Counter())[found] += 1
    for revisions in added:
        conversation_id = revisions[0].conversation_id
        found_here = recorded.pop(str(conversation_id), Counter())
        allowed = [Counter(_expected_warnings(each, profile)) for each in revisions]
        if conversation_id in unread:
            allowed.append(Counter())
        if found_here not in allowed:
            text = f"version {version['number']} warns of {conversation_id}: {sorted(found_here)}"
            yield Finding(Flaw.WRONG, f"{text}; expected {[sorted(each) for each in allowed]}")
    for stranger in recorded:
        text = f"version {version['number']} warns of {stranger}, which it did not read"
        yield Finding(Flaw.WRONG, text)


def _expected_warnings(revision: Revision, profile: JsonObject) -> list[PlantedWarning]:
    paths = [
        f"consultant_profile.{key}"
        for key, value in revision.profile.members
        if profile[key] != value
    ]
    # Equal warnings of one conversation are recorded as one that counts them.
    differing = [PlantedWarning("profile-differs", path, len(paths)) for path in paths[:1]]
    return [*revision.planted, *differing]


def _about_member(what: str, member: Mapping[str, Any], revision: Revision) -> Iterator[Finding]:
    sums = revision.sums
    expected = {
        "pair_count": sums.pairs,
        "example_count": sums.examples,
        "human_reviewed_count": sums.human_reviewed,
        "quality_sum": sums.quality_sum,
        "quality_min": sums.quality_min,
        "quality_max": sums.quality_max,
        "quality_tier": sums.tier,
        **{key: revision.scaffolding[key] for key in DISTRIBUTION.values()},
    }
    for column, value in expected.items():
        subject = f"{column} of {revision.conversation_id} in {what}"
        yield from _differs(subject, member[column], value)


def _quality_summary(sums: Sums) -> dict[str, Any]:
    return {
        "avg_quality_score": sums.mean,
        "min_quality_score": sums.quality_min,
        "max_quality_score": sums.quality_max,
        "human_reviewed_count": sums.human_reviewed,
        "human_reviewed_percentage": Fraction(100 * sums.human_reviewed, sums.pairs),
    }


def _distribution(revisions: Sequence[Revision]) -> dict[str, Any]:
    return {
        name: Counter(revision.scaffolding[key] for revision in revisions)
        for name, key in DISTRIBUTION.items()
    }


def _row_statistics(revisions: Sequence[Revision], sums: Sums) -> dict[str, Any]:
    return {
        "conversations": len(revisions),
        "pairs": sums.pairs,
        "examples": sums.examples,
        "human_reviewed": sums.human_reviewed,
        "quality_sum": sums.quality_sum,
        "quality_min": sums.quality_min,
        "quality_max": sums.quality_max,
        **_distribution(revisions),
        "tiers": Counter(revision.sums.tier for revision in revisions),
    }


def _differs(what: str, found: Any, expected: Any) -> Iterator[Finding]:
    if not _same(found, expected):
        yield Finding(Flaw.WRONG, f"{what} is {found}; by the sources it is {expected}")


def _same(found: Any, expected: Any) -> bool:
    if isinstance(expected, Mapping):
        members = dict(found.members) if isinstance(found, JsonObject) else found
        return set(members) == set(expected) and all(
            _same(members[key], value) for key, value in expected.items()
        )
    if isinstance(expected, int | Fraction):
        if isinstance(found, Number) and Fraction(expected).denominator == 1:
            # The files write whole numbers as integers, whatever they come from.
            return found.text == str(expected)
        number = Fraction(found.text if isinstance(found, Number) else str(found))
        return math.isclose(number, expected, rel_tol=1e-14)
    return bool(found == expected)
