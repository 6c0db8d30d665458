import pytest

from tests.asking import carry_out, request
from tests.conftest import Library


@pytest.fixture
def listed(trainfold):
    def ids(*options: str) -> set[str]:
        ran = trainfold("conversations", *options, "--json")
        assert ran.code == 0, ran.err
        return {row["conversation_id"] for row in ran.json}

    return ids


def test_a_list_has_what_all_filters_find(listed, library: Library):
    wanted = str(library.add(
        tier="seed_dataset", quality_score="4.5", created_at="2026-03-01T23:30:00Z",
        persona_key="calm", emotional_arc_key="up", topic_key="money",
    ))  # fmt: skip
    library.add(tier="production", quality_score="3.9", created_at="2026-03-02T00:00:00Z")
    for options in (
        ("--tier", "seed_dataset"),
        ("--quality-min", "4.5"),
        ("--quality-min", "4", "--quality-max", "4.50"),
        ("--created-until", "2026-03-01"),
        ("--created-from", "2026-03-01", "--created-until", "2026-03-01"),
        ("--persona", "calm", "--arc", "up", "--topic", "money", "--status", "completed"),
    ):
        assert listed(*options) == {wanted}, options
    assert listed("--tier", "seed_dataset", "--quality-max", "4") == set()
    assert listed("--tier", "שלום") == set()


def test_several_batches_are_a_union(listed, library: Library):
    first, second, third = map(str, library.add_many(3))
    library.batch(first, name="one")
    library.batch(second, name="two")
    assert listed("--batch", "one", "--batch", "two") == {first, second}
    assert listed("--batch", "one") == {first}
    assert listed() == {first, second, third}


def test_a_list_leaves_out_what_a_training_file_has(listed, library: Library):
    held, free = library.add_many(2)
    carry_out(request("Talks", [held], new=True))
    assert listed("--not-in", "Talks") == {str(free)}


@pytest.mark.parametrize("score", ["nan", "inf", "-1", "100.1", "1e9", "4,5", "", "٤"])
def test_what_is_no_score_is_a_mistake_that_says_so(trainfold, score: str):
    ran = trainfold("conversations", f"--quality-min={score}")
    assert ran.code == 2
    assert "a number from 0 to 100" in " ".join(ran.err.replace("│", " ").split())


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "2026-03", ""])
def test_what_is_no_day_is_a_mistake(trainfold, day: str):
    assert trainfold("conversations", f"--created-from={day}").code == 2


def test_another_batch_or_file_is_not_found(trainfold):
    assert trainfold("conversations", "--batch", "nowhere").code == 4
    assert trainfold("conversations", "--not-in", "nowhere").code == 4
