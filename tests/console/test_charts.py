"""Distributions as bars."""

from console.charts import SHADES, _distribution


def test_a_small_bar_tells_the_common_and_sums_up_the_rare():
    counts = {f"topic_{n:02}": 100 - n for n in range(60)}
    whole = _distribution("Topics", "Topic", counts)
    small = whole.small
    assert [part.key for part in small.parts[:2]] == ["topic_00", "topic_01"]
    assert small.parts[-1].key == "55 others"
    assert len(small.parts) == SHADES
    assert sum(part.count for part in small.parts) == sum(counts.values())
    assert abs(sum(part.percent for part in small.parts) - 100) < 0.1


def test_a_small_bar_of_few_parts_is_the_bar():
    whole = _distribution("Arcs", "Arc", {"a": 3, "b": 1})
    assert whole.small == whole
