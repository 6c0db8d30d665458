"""Everything raised on purpose survives the way between processes."""

import inspect
import pickle

import pytest

from domain import errors
from domain.findings import Reason, VersionWarning, by_cause, gather, shortened
from tests.domain.making import A, B

REASONS = [
    Reason(
        conversation_id=str(A),
        code="missing-key",
        reason="The key “id” is missing.",
        path="a[0].id",
    ),
    Reason(code="too-many", reason="Too many."),
]
EXAMPLES = {
    errors.Blocked: errors.Blocked(REASONS),
    errors.PlanStopped: errors.PlanStopped(REASONS),
    errors.Damaged: errors.Damaged("Größe", 3, ["the end of the JSON is b''", "gone"]),
}
ALL = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.TrainfoldError)
]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling_with_its_message(kind, protocol):
    error = EXAMPLES.get(kind) or kind("It broke; “nothing” is left. Try again.")
    copy = pickle.loads(pickle.dumps(error, protocol))
    assert type(copy) is kind
    assert copy.args == error.args
    assert str(copy) == str(error)


def test_the_modules_docstring_shows_every_error():
    documented = errors.__doc__ or ""
    assert all(f" {kind.__name__} " in f" {documented} ".replace("\n", " ") for kind in ALL)


def test_a_blocked_error_says_the_first_reason_and_how_many_more():
    assert (
        str(errors.Blocked(REASONS[:1])) == "Blocked, nothing was written: The key “id” is missing."
    )
    assert str(errors.Blocked(REASONS)).endswith("is missing, and 1 more.")
    assert pickle.loads(pickle.dumps(errors.Blocked(REASONS))).reasons == tuple(REASONS)


def test_a_damaged_error_lists_its_findings_and_what_to_do():
    text = str(EXAMPLES[errors.Damaged])
    assert text.startswith("Version 3 of “Größe” is damaged:\n- the end")
    assert "Restore" in text


def warning(message: str, path: str, id: object = A, count: int = 1) -> VersionWarning:
    return VersionWarning(
        conversation_id=str(id), code="c", message=message, path=path, count=count
    )


def test_equal_warnings_of_a_conversation_become_one_at_the_first_path():
    gathered = gather(
        [
            warning("m", "a"),
            warning("n", "b"),
            warning("m", "c"),
            warning("m", "a", B),
            warning("m", "d", count=3),
        ]
    )
    assert gathered == (warning("m", "a", count=5), warning("n", "b"), warning("m", "a", B))


def test_text_is_shortened_and_made_visible():
    assert shortened("größe 1") == "größe 1"
    assert shortened("x" * 60) == "x" * 60
    assert shortened("x" * 61) == "x" * 60 + "…"
    assert shortened("a\n\x1b\u202e\ud800") == "a\\n\\x1b\\u202e\\ud800"


def test_gathering_again_changes_nothing():
    once = gather([warning("m", "a"), warning("m", "b")])
    assert gather(once) == once
    assert gather([]) == ()


def test_warnings_that_say_the_same_are_one_cause_that_counts_conversations_and_places():
    first, second, rare = by_cause(
        [
            warning("rare", "a"),
            warning("often", "b", count=4),
            warning("once", "b"),
            warning("often", "c", B, count=2),
            warning("once", "d", count=2),
        ]
    )
    assert (first.message, first.extent) == ("often", "2 conversations, 6 places")
    assert [w.path for w in first.warnings] == ["b", "c"]
    assert (second.message, second.extent) == ("once", "1 conversation, 3 places")
    assert (rare.message, rare.extent) == ("rare", "1 conversation, 1 place")
    assert by_cause([]) == ()
    other = warning("often", "b").model_copy(update={"code": "other"})
    assert len(by_cause([warning("often", "b"), other])) == 2
