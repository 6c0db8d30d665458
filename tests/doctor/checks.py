"""What tests ask of a list of checks."""

from collections.abc import Iterable

from domain.diagnosis import Check


def findings(checks: Iterable[Check]) -> list[str]:
    """Return the codes of all that is not sound; its texts have several parts."""
    unsound = [check for check in checks if check.finding is not None]
    assert all(check.text.count(". ") >= 1 for check in unsound)
    return [str(check.finding) for check in unsound]


def text_of(checks: Iterable[Check], name: str) -> str:
    (check,) = [check for check in checks if check.name == name]
    return check.text
