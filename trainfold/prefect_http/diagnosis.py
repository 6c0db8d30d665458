"""The Prefect server: of a version that fits, with deployments of this release, and a worker that
works on the same database and buckets.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from importlib.metadata import version
from typing import Any

from pydantic import ValidationError

from domain.diagnosis import Check, Outcome, failed, passed, warning
from domain.errors import AccessRefused, NotFound, TrainfoldError
from operations.identity import Identity
from trainfold.prefect_http.client import PrefectApi
from trainfold.prefect_http.registration import TAG, WORK_POOL, release, shipped_deployments
from trainfold.prefect_http.runs import FINISHED, SUCCEEDED

IDENTIFY = "identify"
ANSWER_SECONDS = 60.0
POLL_SECONDS = 0.5


class PrefectFault(StrEnum):
    UNREACHABLE = "prefect-unreachable"
    REFUSED = "prefect-refused"
    VERSION = "prefect-version"
    NO_POOL = "work-pool-missing"
    POOL_PAUSED = "work-pool-paused"
    NOT_REGISTERED = "deployments-missing"
    OUTDATED = "deployments-outdated"
    NO_WORKER = "no-worker"
    WORKER_SILENT = "worker-silent"
    WORKER_NOT_READY = "worker-not-ready"
    WORKER_ELSEWHERE = "worker-elsewhere"


Fault = PrefectFault
DEPLOY = "Run `trainfold deploy` (`trainfold up` for the local stack)."


def check_prefect(
    api: PrefectApi, own: Identity | None, *, answer_seconds: float = ANSWER_SECONDS
) -> list[Check]:
    """Check the server, and ask a worker who it works for; `own` is who this process works for."""
    try:
        return list(_checks(api, own, answer_seconds))
    except AccessRefused as error:
        return [failed("prefect.reachable", Fault.REFUSED, str(error))]
    except TrainfoldError as error:
        return [failed("prefect.reachable", Fault.UNREACHABLE, str(error))]


def _checks(api: PrefectApi, own: Identity | None, answer_seconds: float) -> Iterator[Check]:
    """Make the checks; a fault ends them where it makes the next ones meaningless."""
    yield (server := _server(api))
    if server.outcome is Outcome.FAILED:
        return
    yield (deployments := _deployments(api))
    yield (pool := _pool(api))
    if pool.finding == Fault.NO_POOL:
        return
    yield (workers := _workers(api))
    can_answer = {deployments.finding, pool.finding, workers.finding} <= {None, Fault.OUTDATED}
    if own is not None and can_answer:
        yield _identity(api, own, answer_seconds)


def _server(api: PrefectApi) -> Check:
    name = "prefect.reachable"
    theirs, ours = str(api.get("/admin/version")), version("prefect")
    if _minor(theirs) < _minor(ours) or _minor(theirs)[0] != _minor(ours)[0]:
        return failed(
            name,
            Fault.VERSION,
            f"The Prefect server is {theirs}, and trainfold comes with {ours}. Nothing was "
            "changed. A server has to be as new as its clients: upgrade it.",
        )
    return passed(name, f"Prefect {theirs} at {api.url} admits these credentials")


def _minor(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


def _pool(api: PrefectApi) -> Check:
    name = "prefect.work-pool"
    try:
        pool = api.get(f"/work_pools/{WORK_POOL}")
    except NotFound:
        return failed(
            name,
            Fault.NO_POOL,
            f"The Prefect server has no work pool {WORK_POOL}. Nothing was changed. {DEPLOY}",
        )
    if pool["is_paused"]:
        return failed(
            name,
            Fault.POOL_PAUSED,
            f"The work pool {WORK_POOL} is paused: what is submitted waits. Nothing was changed. "
            f"`prefect work-pool resume {WORK_POOL}`, or the switch on its page.",
        )
    return passed(name, f"the work pool {WORK_POOL} is there, of type {pool['type']}")


def _deployments(api: PrefectApi) -> Check:
    name = "prefect.deployments"
    found = api.post("/deployments/filter", {"deployments": {"tags": {"all_": [TAG]}}})
    registered = {deployment["name"]: deployment for deployment in found}
    missing = [each for each in shipped_deployments() if each not in registered]
    if missing:
        return failed(
            name,
            Fault.NOT_REGISTERED,
            f"The Prefect server lacks the deployments {', '.join(missing)}. Nothing was changed. "
            f"{DEPLOY}",
        )
    outdated = [each for each, it in sorted(registered.items()) if it["version"] != release()]
    if outdated:
        return failed(
            name,
            Fault.OUTDATED,
            f"The deployments {', '.join(outdated)} are registered by another release, or without "
            f"`trainfold deploy`. Nothing was changed. {DEPLOY}",
        )
    return passed(name, f"{len(registered)} deployments are those of this release")


def _workers(api: PrefectApi) -> Check:
    name = "prefect.worker"
    with suppress(NotFound):
        workers = api.post(f"/work_pools/{WORK_POOL}/workers/filter", {})
        online = sorted(each["name"] for each in workers if each["status"] == "ONLINE")
        if online:
            return passed(name, f"{len(online)} at work: {', '.join(online)}")
    return failed(
        name,
        Fault.NO_WORKER,
        f"No worker polls the work pool {WORK_POOL}: what is submitted waits. Nothing was changed. "
        "Start one (`trainfold up`, or `prefect worker start --pool trainfold`).",
    )


def _identity(api: PrefectApi, own: Identity, answer_seconds: float) -> Check:
    """Have a worker run the flow `identify`, as only a run has the flows' own settings.

    One of several workers answers: whichever is first.
    """
    name = "prefect.identity"
    state = _answer(api, answer_seconds)
    if state is None:
        return warning(
            name,
            Fault.WORKER_SILENT,
            f"No worker ran the flow {IDENTIFY} within {answer_seconds:.0f} s; its run was "
            "removed. All may be busy: look at the runs in Prefect, and ask again.",
        )
    said = str(state.get("message") or state["name"])
    try:
        theirs = Identity.model_validate_json(said) if state["type"] == SUCCEEDED else None
    except ValidationError:
        theirs = None
    if theirs is None:
        return failed(
            name,
            Fault.WORKER_NOT_READY,
            f"A worker cannot work: {said} Nothing was changed. Give the worker's environment the "
            "TRAINFOLD_… variables that this one has.",
        )
    if theirs != own:
        return failed(
            name,
            Fault.WORKER_ELSEWHERE,
            "A worker of this Prefect server works for another installation: "
            f"{_differences(theirs, own)}. Nothing was changed. Give it the TRAINFOLD_… variables "
            "that this process has, or another Prefect server.",
        )
    return passed(name, f"the worker works on this database ({own.installation}) and buckets")


def _differences(theirs: Identity, own: Identity) -> str:
    pairs = zip(theirs.model_dump().items(), own.model_dump().values(), strict=True)
    return ", ".join(
        f"{name.replace('_', ' ')} {value} where this process has {mine}"
        for (name, value), mine in pairs
        if value != mine
    )


def _answer(api: PrefectApi, answer_seconds: float) -> Mapping[str, Any] | None:
    """Return the state in which a run of the flow ends, and remove the run."""
    deployment = api.get(f"/deployments/name/{IDENTIFY}/{IDENTIFY}")["id"]
    run = api.post(f"/deployments/{deployment}/create_flow_run", {"name": "trainfold doctor"})
    give_up = time.monotonic() + answer_seconds
    try:
        while run["state_type"] not in FINISHED:
            if time.monotonic() > give_up:
                return None
            time.sleep(POLL_SECONDS)
            run = api.get(f"/flow_runs/{run['id']}")
        state: Mapping[str, Any] = run["state"]
        return state
    finally:
        with suppress(TrainfoldError):
            api.delete(f"/flow_runs/{run['id']}")
