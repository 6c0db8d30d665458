"""Distributions as bars."""

from console.charts import SHADES, distribution


def test_a_small_bar_shows_the_common_and_sums_up_the_rare():
    counts = {f"topic_{n:02}": 100 - n for n in range(60)}
    whole = distribution("Topics", "Topic", counts)
    small = whole.small
    assert [share.key for share in small.shares[:2]] == ["topic_00", "topic_01"]
    assert small.shares[-1].key == "55 others"
    assert len(small.shares) == SHADES
    assert sum(share.count for share in small.shares) == sum(counts.values())
    assert abs(sum(share.percent for share in small.shares) - 100) < 0.1


def test_a_small_bar_of_few_shares_is_the_bar():
    whole = distribution("Arcs", "Arc", {"a": 3, "b": 1})
    assert whole.small == whole
