import pytest

from domain.counting import counted


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (10**6, "1,000,000 files")]
)
def test_one_thing_is_not_plural(number: int, text: str) -> None:
    assert counted(number, "file") == text
