"""A rebuild in this thread, without Prefect."""

from uuid import uuid4

from domain.source.limits import Limits
from domain.versions.requests import RebuildRequest
from operations import resources
from operations.rebuild import RebuildPlan, Rebuilt, compare_members, make_plan, replace_changed


def rebuild(name: str, *, whole: bool = False) -> Rebuilt:
    request = RebuildRequest(
        training_file=name, whole=whole, requested_by="a test", request_id=str(uuid4())
    )
    engine, store = resources.engine(), resources.training_files_store()
    plan = make_plan(engine, request)
    assert isinstance(plan, RebuildPlan)
    compared = compare_members(
        resources.conversations_store(),
        store,
        plan.version,
        list(zip(plan.members, plan.sources, strict=True)),
        request=request,
        limits=Limits(),
        refuses_damage=plan.refuses_damage,
    )
    return replace_changed(engine, store, request, [compared])
