"""The gate as the flow's first task; the same function that the callers run before."""

from prefect import task

from db.engine import reading
from db.gate import decide
from domain.eligibility import Admission
from domain.requests import AddRequest
from domain.version import VersionRecord
from tasks import resources


@task(name="gate", task_run_name="gate")
def gate(request: AddRequest) -> VersionRecord | Admission:
    with reading(resources.engine()) as connection:
        return decide(connection, request)
