"""Whose request a flow run carries out."""

from prefect.context import FlowRunContext
from prefect.runtime import flow_run

from domain.digest import sha256
from domain.naming import is_request_id


def own_request_id() -> str:
    """The flow run's idempotency key or, failing that, its id: the same when it is run again."""
    context = FlowRunContext.get()
    key = context.flow_run.idempotency_key if context and context.flow_run else None
    if key is None:
        return str(flow_run.id)
    return key if is_request_id(key) else sha256(key.encode())
