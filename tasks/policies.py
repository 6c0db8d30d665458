"""When a task is tried again, and what of it is kept for a run that is repeated."""

from datetime import timedelta
from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import Task

from domain.digest import sha256
from domain.eligibility import EligibleConversation
from domain.errors import CommitOutcomeUnknown, Unreachable

KEPT_FOR = timedelta(days=1)


def may_help(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether trying again may help: the service was away. What a rule refuses stays refused."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, Unreachable | CommitOutcomeUnknown)


def once_a_request(context: TaskRunContext, arguments: dict[str, Any]) -> str:
    """The key under which a conversation's result is kept: a repeated request finds it again."""
    eligible: EligibleConversation = arguments["eligible"]
    subject = f"{arguments['request_id']} {eligible.model_dump_json()} {arguments.get('strict')}"
    return f"trainfold-{context.task.name}-{sha256(subject.encode())}"
