"""How a run ends: the state that the list of runs shows, and the result that programs read."""

from collections.abc import Callable
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Failed

from domain.documents import blocked_document, error_document
from domain.errors import Blocked, TrainfoldError
from tasks.report import report_blocked, report_result


def ended(subject: str, work: Callable[[], State[Any]]) -> State[Any]:
    """The state in which the work ends; Blocked or Failed, in words, where trainfold says no."""
    try:
        return work()
    except Blocked as blocked:
        report_blocked(subject, blocked.reasons)
        report_result(blocked_document(blocked.reasons))
        return Failed(name="Blocked", message=str(blocked), data=blocked)
    except TrainfoldError as error:
        report_result(error_document(error))
        return Failed(message=str(error), data=error)
