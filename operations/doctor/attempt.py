"""A check whose probe raises: the error's words are the finding."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from domain.diagnosis import Check, failed
from domain.errors import TrainfoldError


def attempt(
    name: str,
    probe: Callable[[], Check],
    codes: Mapping[type[TrainfoldError], StrEnum],
    *,
    otherwise: StrEnum,
) -> Check:
    """Return what the probe finds; where it raises, a failed check with the error's own words."""
    try:
        return probe()
    except TrainfoldError as error:
        return failed(name, codes.get(type(error), otherwise), str(error))
