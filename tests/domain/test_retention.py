"""Which versions a policy lets go."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Blocked
from domain.versions.retention import (
    MAX_DAYS,
    MAX_KEPT,
    KeepPolicy,
    StoredVersion,
    ranges,
    refuse_policy,
    releasable,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DAY = timedelta(days=1)


def stored(*ages_in_days: int) -> list[StoredVersion]:
    """Versions of these ages, the oldest is number 1, as they are listed: newest first."""
    made = [NOW - age * DAY for age in ages_in_days]
    later: list[datetime | None] = [*made[1:], None]
    versions = [
        StoredVersion(
            number=number,
            created_at=created_at,
            superseded_at=superseded_at,
            size_bytes=1,
            keys=("a", "b"),
        )
        for number, (created_at, superseded_at) in enumerate(zip(made, later, strict=True), 1)
    ]
    return versions[::-1]


def released(policy, versions, *, tagged=frozenset(), protected=frozenset(), safe_age=DAY):
    chosen = releasable(
        policy, versions, tagged=tagged, protected=protected, now=NOW, safe_age=safe_age
    )
    return sorted(version.number for version in chosen)


OLD = stored(50, 40, 30, 20, 10)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (KeepPolicy(), []),
        (KeepPolicy(last=1), [1, 2, 3, 4]),
        (KeepPolicy(last=2), [1, 2, 3]),
        (KeepPolicy(last=9), []),
        (KeepPolicy(days=30), [1, 2]),
        (KeepPolicy(days=29), [1, 2, 3]),
        (KeepPolicy(days=1), [1, 2, 3, 4]),
        (KeepPolicy(last=4, days=5), [1]),
        (KeepPolicy(last=1, days=35), [1, 2]),
        (KeepPolicy(tagged=True), [1, 3, 4]),
        (KeepPolicy(last=2, tagged=True), [1, 3]),
    ],
)
def test_a_version_is_kept_if_any_part_of_the_policy_keeps_it(policy, expected):
    assert released(policy, OLD, tagged={2} if policy.tagged else set()) == expected


def test_a_tag_keeps_its_version_only_where_tags_are_kept_and_a_protected_one_always():
    assert released(KeepPolicy(last=1), OLD, tagged={1, 2}) == [1, 2, 3, 4]
    assert released(KeepPolicy(last=1), OLD, tagged={1, 2}, protected={2}) == [1, 3, 4]


def test_a_version_that_was_current_until_lately_is_kept():
    versions = stored(50, 1, 0)
    assert released(KeepPolicy(last=1), versions, safe_age=DAY) == []
    assert released(KeepPolicy(last=1), versions, safe_age=DAY / 2) == [1]
    assert released(KeepPolicy(last=1), versions, safe_age=-DAY) == [1, 2]


@given(
    ages=st.lists(st.integers(0, 400), min_size=1, max_size=12),
    last=st.none() | st.integers(1, 15),
    days=st.none() | st.integers(1, 500),
    tagged=st.booleans(),
    tags=st.sets(st.integers(1, 12)),
    protected=st.sets(st.integers(1, 12)),
)
def test_the_current_the_newest_the_young_and_the_protected_are_never_released(
    ages, last, days, tagged, tags, protected
):
    versions = stored(*sorted(ages, reverse=True))
    policy = KeepPolicy(last=last, days=days, tagged=tagged)
    gone = set(released(policy, versions, tagged=tags, protected=protected))
    newest_first = [version.number for version in versions]
    assert newest_first[0] not in gone
    assert not gone & set(newest_first[: last or 0])
    assert not gone & protected
    assert not (tagged and gone & tags)
    young = {it.number for it in versions if days and NOW - it.created_at <= days * DAY}
    assert not gone & young
    if policy.keeps_all:
        assert not gone


@pytest.mark.parametrize(
    "policy",
    [
        KeepPolicy(last=0),
        KeepPolicy(last=-1),
        KeepPolicy(days=0),
        KeepPolicy(last=MAX_KEPT + 1),
        KeepPolicy(days=MAX_DAYS + 1),
    ],
)
def test_a_number_out_of_range_is_refused(policy):
    with pytest.raises(Blocked, match="it can be 1 to"):
        refuse_policy(policy)


def test_the_ends_of_the_range_are_possible():
    refuse_policy(KeepPolicy(last=MAX_KEPT, days=MAX_DAYS))
    assert released(KeepPolicy(last=MAX_KEPT, days=MAX_DAYS), OLD) == []


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([3], "3"), ([5, 3, 4, 1], "1, 3 to 5"), ([1, 2], "1 to 2"), ([1, 3], "1, 3")],
)
def test_numbers_are_written_as_ranges(numbers, text):
    assert ranges(numbers) == text
