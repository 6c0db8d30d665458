from datetime import date
from decimal import Decimal

import pytest

from domain.errors import Blocked
from domain.versions.matching import FIELDS, Matching, parse_conditions


def problem(*texts: str) -> str:
    with pytest.raises(Blocked) as blocked:
        parse_conditions(texts)
    assert {reason.code for reason in blocked.value.reasons} == {"bad-condition"}
    return " ".join(reason.reason for reason in blocked.value.reasons)


def test_conditions_are_read_and_written_alike():
    texts = (
        "batch=spring, and more", "batch=a=b", "persona=anxious_planner", "arc=up",
        "topic=money", "tier=seed_dataset", "status=completed", "quality>=3.5", "quality<=4.5",
        "created>=2026-03-01", "created<=2026-03-31", "text=שלום >= <b>", "not-in=Spring talks",
    )  # fmt: skip
    matching = parse_conditions(texts)
    assert matching.conditions == texts
    assert parse_conditions(reversed(texts)).batches == ("a=b", "spring, and more")
    assert matching.quality_at_least == Decimal("3.5")
    assert matching.created_until == date(2026, 3, 31)


def test_equal_means_both_ends():
    matching = parse_conditions(["quality=4", "created=2026-03-01", "Not_In = A "])
    assert matching.conditions == ("quality=4", "created=2026-03-01", "not-in=A")
    assert matching == Matching(
        quality_at_least=Decimal(4),
        quality_at_most=Decimal(4),
        created_from=date(2026, 3, 1),
        created_until=date(2026, 3, 1),
        not_in="A",
    )


def test_a_score_is_written_in_one_way():
    assert parse_conditions(["quality>=4.50"]).conditions == ("quality>=4.5",)
    assert parse_conditions(["quality<=100.0"]).conditions == ("quality<=100",)


def test_every_mistake_is_named_with_what_is_allowed():
    said = problem("colour=red", "persona>=x", "quality>=NaN", "created=2026-02-30", "status=done")
    assert "there is no field “colour”; fields are batch, persona" in said
    assert "persona takes only =" in said
    assert "a quality score is a number from 0 to 100" in said
    assert "a day is written as in 2026-03-01" in said
    assert "status is one of not_started, " in said


@pytest.mark.parametrize(
    "text",
    ["", "=", "persona", "persona=", "persona= ", "persona=\0", "persona=\ud800",
     "text=" + "x" * 201,
     "quality>4", "quality>=1e9", "quality>=٤", "quality>=-1", "created>=today",
     "created=2026-03-01T00:00", "x" * 1_000_000, "persona=" + "=" * 1_000_000],
)  # fmt: skip
def test_hostile_conditions_are_refused_shortly(text: str):
    assert len(problem(text)) < 500


def test_what_is_given_twice_is_refused_but_for_batches():
    assert "persona is given twice" in problem("persona=a", "persona=b")
    assert "quality is given twice" in problem("quality>=1", "quality=2")
    assert "more than 100" in problem(*["batch=a"] * 101)
    assert parse_conditions(["batch=a", "batch=b"]).batches == ("a", "b")


def test_every_field_can_be_given():
    values = {"quality": "4", "created": "2026-03-01", "status": "completed"}
    for field in FIELDS:
        text = f"{field}={values.get(field, 'x')}"
        assert parse_conditions([text]).conditions == (text,)
