"""Trials through Prefect: flows that are killed, and a server, worker or console that is."""

import re
import time
from collections.abc import Callable

import httpx
import psutil

from domain.errors import TrainfoldError
from soak.claim import Claim
from soak.crashes import CRASH_POINTS
from soak.own_stack import OwnStack
from soak.postgres_proxy import DatabaseAction
from soak.s3_faults import S3Action
from soak.service_faults import trial_on
from soak.stage import Stage
from soak.tally import Tally
from soak.trial import Trial
from soak.worker import End, RequestOutcome, end_of
from trainfold.prefect_http.runs import RunOutcome, Runs
from trainfold.stack import Service
from trainfold.stack.console import console_link

PATIENCE_SECONDS = 40.0
"""Then the owner carries the request out without Prefect, under the same request id."""
FLOW_ENDS_SECONDS = 60.0
TOKEN = re.compile(r'name="(form_token)"[^>]*value="([^"]+)"')


def flow_killed(stage: Stage, number: int) -> Tally:
    """Kill the process of a flow run at a named point; then run the same request again."""
    trial = Trial(stage, "Prefect: flow killed", number)
    claim = trial.base_or_create()
    fault = list(CRASH_POINTS.values())[number % len(CRASH_POINTS)]
    store = [fault] if isinstance(fault.action, S3Action) else []
    database = [fault] if isinstance(fault.action, DatabaseAction) else []
    with trial.behind(store, database) as front:
        trial.run(claim, front, as_flow=True)
    trial.inspect()
    # In turn as a flow, whose kept results are found again, and without Prefect.
    trial.run(claim, as_flow=number % 2 == 0)
    trial.settle()
    return trial.tally()


def killed(stage: Stage, service: Service, number: int) -> Tally:
    """Kill a service of Prefect's side while a submitted run is under way; start it again."""
    with trial_on(stage.own_prefect, stage, f"{service} killed", number) as (trial, stack):
        claim = trial.base_or_create()
        submit = _by_console if service == Service.CONSOLE else _by_api
        outcome = _attempt(lambda: submit(stack, claim))
        time.sleep(trial.chance.uniform(0, 6))
        stack.kill(service)
        trial.struck += 1
        stack.up()
        if outcome is None:
            _attempt(lambda: submit(stack, claim))
        claim.outcomes.append(_follow(stack, claim))
        _await_flows(stack)
        trial.settle()
        return trial.tally()


def _by_api(stack: OwnStack, claim: Claim) -> None:
    _runs(stack).submit_add(claim.request)  # type: ignore[arg-type]


def _by_console(stack: OwnStack, claim: Claim) -> None:
    """Send the form of the preview page, as a browser does."""
    address = stack.connections["console_url"]
    request = claim.request
    ids = " ".join(map(str, claim.ids))
    target = "name" if getattr(request, "new", False) else "to"
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as browser:
        browser.get(console_link(stack.home, address))
        found = TOKEN.search(browser.get("/conversations").text)
        fields = {found[1]: found[2]} if found else {}
        fields |= {target: request.name, "ids": ids, "request_id": request.request_id}
        browser.post("/add", data=fields).raise_for_status()


def _attempt(submit: Callable[[], None]) -> Exception | None:
    """Return what went wrong; the owner then submits again."""
    try:
        submit()
    except (TrainfoldError, httpx.HTTPError) as error:
        return error
    return None


def _follow(stack: OwnStack, claim: Claim) -> RequestOutcome:
    """Wait for the run's end, as `trainfold submit` does; give up on a run whose worker is gone."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            runs = _runs(stack)
            progress = runs.progress(runs.submit_add(claim.request))  # type: ignore[arg-type]
        except TrainfoldError as error:
            return end_of(error)
        if progress.is_finished:
            return _outcome(progress.outcome, progress.message)
        time.sleep(1)
    return RequestOutcome(End.FAILED, text="The run did not end; the owner goes another way.")


def _outcome(outcome: RunOutcome | None, message: str) -> RequestOutcome:
    if outcome is not None and outcome.version is not None:
        return RequestOutcome(End.MADE, number=outcome.version["version"])
    if outcome is not None and outcome.blocked:
        codes = tuple(sorted({reason.code for reason in outcome.blocked}))
        return RequestOutcome(End.BLOCKED, codes=codes, text=message)
    return RequestOutcome(End.FAILED, text=message)


def _await_flows(stack: OwnStack) -> None:
    """Wait until no process of a flow is left, for those that outlive their worker too."""
    until = time.monotonic() + FLOW_ENDS_SECONDS
    while (flows := _flow_processes(stack)) and time.monotonic() < until:
        time.sleep(0.5)
    for flow in flows:
        flow.kill()


def _flow_processes(stack: OwnStack) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            is_own = process.environ().get("TRAINFOLD_HOME") == str(stack.home)
            if is_own and "flow-run" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def _runs(stack: OwnStack) -> Runs:
    known = stack.connections
    return Runs(known["prefect_api_url"], auth=known.get("prefect_auth"))
