"""Registration of trainfold's work pool, deployments and automations with a Prefect server."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from domain.errors import NotFound, NotReady
from trainfold.prefect_http.client import PrefectApi

WORK_POOL = "trainfold"
TAG = "trainfold"
REBUILD_ALL = "rebuild-all"
JOB_TEMPLATE: dict[str, Any] = {
    "job_configuration": {"stream_output": True},
    "variables": {"type": "object", "properties": {}, "additionalProperties": False},
}
"""What a process of the pool is: Prefect's own command, with the worker's environment.

Prefect's default template lets whoever runs a deployment choose the command, by `job_variables`.
"""


def register(
    api: PrefectApi, *, environment: Mapping[str, str], scheduled_rebuild: bool
) -> list[str]:
    """Register the work pool, the deployments and the automations of this release.

    Registering again changes nothing. `environment` tells Prefect's own command which server to
    use. Returns the deployments' names; raises NotReady when Prefect refuses them.
    """
    _ensure_work_pool(api)
    _deploy(environment)
    deployments = api.post("/deployments/filter", {"deployments": {"tags": {"all_": [TAG]}}})
    for deployment in deployments:
        _close_form(api, deployment)
        if deployment["name"] == REBUILD_ALL:
            _schedule(api, deployment, active=scheduled_rebuild)
    _replace_automations(api)
    return sorted(deployment["name"] for deployment in deployments)


def fingerprint(*, scheduled_rebuild: bool) -> str:
    """Return a digest that changes whenever `register` would register something else."""
    return hashlib.sha256(f"{scheduled_rebuild} {release()}".encode()).hexdigest()


def release() -> str:
    """Return a digest of all that is registered; deployments carry it as their version."""
    digest = hashlib.sha256(f"{JOB_TEMPLATE}".encode())
    for file in [_folder() / "prefect.yaml", _automations_file(), *_flows()]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def shipped_deployments() -> list[str]:
    """Return the names of the deployments that belong to this release."""
    content = yaml.safe_load((_folder() / "prefect.yaml").read_text(encoding="utf-8"))
    return [deployment["name"] for deployment in content["deployments"]]


def _folder() -> Path:
    """Return the folder of the shipped files: the checkout's root, or `shipped` when installed."""
    package = Path(__file__).parents[1]
    root = package.parent
    return root if (root / "prefect.yaml").exists() else package / "shipped"


def _automations_file() -> Path:
    return _folder() / "deployments" / "automations.yaml"


def _flows() -> list[Path]:
    return sorted((Path(__file__).parents[2] / "flows").glob("*.py"))


def _ensure_work_pool(api: PrefectApi) -> None:
    try:
        pool = api.get(f"/work_pools/{WORK_POOL}")
    except NotFound:
        new = {"name": WORK_POOL, "type": "process", "base_job_template": JOB_TEMPLATE}
        api.post("/work_pools/", new)
    else:
        if pool["type"] == "process" and _is_prefects_own(pool["base_job_template"]):
            api.patch(f"/work_pools/{WORK_POOL}", {"base_job_template": JOB_TEMPLATE})


def _is_prefects_own(template: Mapping[str, Any]) -> bool:
    """Return whether nobody made this job template: each setting is left to the caller."""
    configuration = template.get("job_configuration", {})
    return all(value == f"{{{{ {name} }}}}" for name, value in configuration.items())


def _deploy(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    completed = subprocess.run(
        command,
        cwd=_folder(),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode != 0:
        raise NotReady(
            "The deployments could not be registered with Prefect. Nothing new was started. "
            f"`prefect deploy --all` said:\n{(completed.stderr or completed.stdout)[-2000:]}"
        )


def _close_form(api: PrefectApi, deployment: Mapping[str, Any]) -> None:
    """Refuse unknown parameters: Prefect's own schemas allow them, and the run fails on them.

    The version says that this was done, and by which release; `prefect deploy` alone sets another.
    """
    schema = {**deployment["parameter_openapi_schema"], "additionalProperties": False}
    body = {"parameter_openapi_schema": schema, "version": release()}
    api.patch(f"/deployments/{deployment['id']}", body)


def _schedule(api: PrefectApi, deployment: Mapping[str, Any], *, active: bool) -> None:
    for schedule in deployment["schedules"]:
        path = f"/deployments/{deployment['id']}/schedules/{schedule['id']}"
        api.patch(path, {"active": active})


def _replace_automations(api: PrefectApi) -> None:
    automations = yaml.safe_load(_automations_file().read_text(encoding="utf-8"))["automations"]
    names = [automation["name"] for automation in automations]
    registered = api.post("/automations/filter", {"automations": {"name": {"any_": names}}})
    ids = {automation["name"]: automation["id"] for automation in registered}
    for automation in automations:
        if automation["name"] in ids:
            api.put(f"/automations/{ids[automation['name']]}", automation)
        else:
            api.post("/automations/", automation)
