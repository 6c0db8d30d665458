"""Submit adds to a Prefect server, follow their runs, and list the runs of a training file."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from domain.errors import Blocked, NotFound, NotReady
from domain.findings import Reason
from domain.frozen import FrozenModel
from domain.versions.naming import name_key
from domain.versions.plans import AddPlan
from domain.versions.requests import AddRequest
from trainfold.prefect_http.client import PrefectApi

ADD = "add-conversations"
ADD_MATCHING = "add-matching"
OTHERS = (ADD_MATCHING, "remove-conversations", "rollback", "rebuild-training-file")
"""Flows that make a version, too."""
SUCCEEDED = "COMPLETED"
FINISHED = frozenset({SUCCEEDED, "FAILED", "CRASHED", "CANCELLED"})
_NOT_STARTED = ("SCHEDULED", "PENDING")
_MAX_RUNS = 200


class RunFailure(FrozenModel):
    """An error that trainfold raised; `type` is the name of its class in domain.errors."""

    type: str
    message: str


class RunOutcome(FrozenModel):
    """The outcome of a run: its version's document, the reasons that block it, or its error."""

    version: dict[str, Any] | None = None
    blocked: tuple[Reason, ...] = ()
    error: RunFailure | None = None


class RunProgress(FrozenModel):
    """The progress of a run. A finished run without an outcome failed; `message` says how."""

    run_id: UUID
    training_file: str
    conversation_ids: tuple[str, ...]
    state_type: str
    state_name: str
    message: str
    total: int
    fetched: int
    validated: int
    is_finished: bool
    outcome: RunOutcome | None


class RunSummary(FrozenModel):
    run_id: UUID
    flow: str
    training_file: str
    conversations: int
    requested_by: str
    state_type: str
    state_name: str
    message: str
    created_at: datetime
    is_finished: bool


class Runs:
    """The runs of one Prefect server."""

    def __init__(
        self,
        api_url: str,
        *,
        auth: str | None = None,
        patience: timedelta = timedelta(),
        say_waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Use a server; `auth` is its `user:password`, if it has one (see PrefectApi)."""
        self._api = PrefectApi(api_url, auth=auth, patience=patience, say_waiting=say_waiting)

    def submit_add(self, request: AddRequest) -> UUID:
        """Submit a request; return its run, which is the earlier one if the request id is known.

        A run that ended without success is run again. Raises Blocked if Prefect refuses the
        parameters or another request used the request id, NotReady if the flow is not registered,
        Unreachable if the server does not answer.
        """
        body = {
            "name": request.name,
            "parameters": {
                **request.model_dump(mode="json", exclude={"request_id", "run_id"}),
                "training_file": request.name,
            },
            "idempotency_key": request.request_id,
        }
        run = self._api.post(f"/deployments/{self._deployment(ADD)}/create_flow_run", body)
        _require_same(request, run)
        return self._run_again(run)

    def submit_plan(self, plan: AddPlan) -> UUID:
        """Submit a stored plan; return its run, which is the earlier one if there was one.

        A run that ended without success is run again. Raises what `submit_add` does.
        """
        request = plan.request
        values = request.model_dump(mode="json", exclude={"matching", "run_id"})
        body = {
            "name": request.name,
            "parameters": {**values, "where": list(request.matching.conditions)},
            "idempotency_key": request.request_id,
        }
        deployment = self._deployment(ADD_MATCHING)
        return self._run_again(self._api.post(f"/deployments/{deployment}/create_flow_run", body))

    def _run_again(self, run: Mapping[str, Any]) -> UUID:
        if run["state_type"] in FINISHED and run["state_type"] != SUCCEEDED:
            retry = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Asked for again."}
            self._api.post(f"/flow_runs/{run['id']}/set_state", {"state": retry})
        return UUID(run["id"])

    def progress(self, run_id: UUID) -> RunProgress:
        """Return how far a run is; raise NotFound if there is no such run."""
        run = self._api.get(f"/flow_runs/{run_id}")
        is_finished = run["state_type"] in FINISHED
        ids = _conversation_ids(run)
        return RunProgress(
            run_id=run_id,
            training_file=str(run["parameters"].get("training_file", "")),
            conversation_ids=ids,
            state_type=run["state_type"],
            state_name=run["state_name"],
            message=_message(run),
            total=len(ids),
            fetched=self._completed(run_id, "fetch "),
            validated=self._completed(run_id, "validate "),
            is_finished=is_finished,
            outcome=self._outcome(run) if is_finished else None,
        )

    def of_request(self, request_id: str, *, flow: str = ADD) -> RunProgress:
        """Return how far the run of an add is; raise NotFound if there is no such request."""
        body = {
            "flows": {"name": {"any_": [flow]}},
            "flow_runs": {"idempotency_key": {"any_": [request_id]}},
            "limit": 1,
        }
        for run in self._api.post("/flow_runs/filter", body):
            return self.progress(UUID(run["id"]))
        raise NotFound(f"No request has the id {request_id}.")

    def touching(self, training_file: str, *, limit: int) -> list[RunSummary]:
        """List the runs that make a version of a training file, newest first."""
        # A run gets the training file's name when it starts; until then it may have any name.
        named_or_not_started = {
            "operator": "or_",
            "name": {"like_": "%".join(training_file.split())},
            "state": {"type": {"any_": _NOT_STARTED}},
        }
        body = {
            "flows": {"name": {"any_": [ADD, *OTHERS]}},
            "flow_runs": named_or_not_started,
            "sort": "EXPECTED_START_TIME_DESC",
            "limit": _MAX_RUNS,
        }
        runs = self._api.post("/flow_runs/filter", body)
        key = name_key(training_file)
        matching = [r for r in runs if name_key(str(r["parameters"].get("training_file"))) == key]
        newest = matching[:limit]
        flow_names = self._flow_names(newest)
        return [_summary(run, flow_names[run["flow_id"]]) for run in newest]

    def _deployment(self, name: str) -> str:
        try:
            return str(self._api.get(f"/deployments/name/{name}/{name}")["id"])
        except NotFound as error:
            raise NotReady(
                f"The deployment {name} is not registered with the Prefect server at "
                f"{self._api.url}. Nothing was submitted. Run `trainfold up` for the local stack, "
                "or `prefect deploy --all` for another server."
            ) from error

    def _completed(self, run_id: UUID, name: str) -> int:
        body = {
            "flow_runs": {"id": {"any_": [str(run_id)]}},
            "task_runs": {"name": {"like_": name}, "state": {"type": {"any_": [SUCCEEDED]}}},
        }
        return int(self._api.post("/task_runs/count", body))

    def _outcome(self, run: Mapping[str, Any]) -> RunOutcome | None:
        """Return what the run's newest result says, unless an earlier attempt left it."""
        body = {
            "artifacts": {"type": {"any_": ["result"]}, "flow_run_id": {"any_": [run["id"]]}},
            "sort": "CREATED_DESC",
            "limit": 1,
        }
        for artifact in self._api.post("/artifacts/filter", body):
            document = artifact["data"]
            if run["state_type"] == SUCCEEDED and "version" in document:
                return RunOutcome(version=document)
            if run["state_name"] == "Blocked" and "blocked" in document:
                return RunOutcome(blocked=document["blocked"])
            if document.get("error", {}).get("message") == _message(run):
                return RunOutcome(error=document["error"])
        return None

    def _flow_names(self, runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        ids = sorted({run["flow_id"] for run in runs})
        flows = self._api.post("/flows/filter", {"flows": {"id": {"any_": ids}}}) if ids else []
        return {flow["id"]: flow["name"] for flow in flows}


def _require_same(request: AddRequest, run: Mapping[str, Any]) -> None:
    """Raise Blocked if Prefect returned the run of another request under the same request id.

    Prefect answers a known idempotency key with its run, whatever the parameters are.
    """
    submitted = _request_of(run)
    if submitted is None or submitted.digest != request.digest:
        raise Blocked(
            [
                Reason(
                    code="request-id-reused",
                    reason=f"The request id {request.request_id} was used for another request "
                    f"(run {run['id']}). Nothing was submitted; use a new one.",
                )
            ]
        )


def _request_of(run: Mapping[str, Any]) -> AddRequest | None:
    """Return the request of a run; None if its parameters bypassed the form and are invalid."""
    absent = {"training_file": "", "conversation_ids": (), "requested_by": "", "request_id": ""}
    try:
        return AddRequest.model_validate({**absent, **run["parameters"]})
    except ValidationError:
        return None


def _conversation_ids(run: Mapping[str, Any]) -> tuple[str, ...]:
    request = _request_of(run)
    return tuple(map(str, request.conversation_ids)) if request else ()


def _message(run: Mapping[str, Any]) -> str:
    return str((run["state"] or {}).get("message") or "")


def _summary(run: Mapping[str, Any], flow: str) -> RunSummary:
    parameters = run["parameters"]
    return RunSummary(
        run_id=run["id"],
        flow=flow,
        training_file=str(parameters["training_file"]),
        conversations=len(_conversation_ids(run)),
        requested_by=str(parameters.get("requested_by", "")),
        state_type=run["state_type"],
        state_name=run["state_name"],
        message=_message(run),
        created_at=run["created"],
        is_finished=run["state_type"] in FINISHED,
    )
