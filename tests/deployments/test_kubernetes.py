"""The manifests and the job template agree with each other, with compose.yaml and with the lock."""

import json
import re
from importlib.metadata import version
from typing import Any

import yaml

from tests.deployments.composition import DEPLOYMENTS, composition, new_environment
from trainfold import __version__
from trainfold.prefect_http.registration import WORK_POOL

FOLDER = DEPLOYMENTS / "kubernetes"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
TEMPLATE = json.loads((FOLDER / "base-job-template.json").read_text(encoding="utf-8"))
VARIABLES = TEMPLATE["variables"]["properties"]
JOB = TEMPLATE["job_configuration"]["job_manifest"]
POD = JOB["spec"]["template"]["spec"]


def manifests(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


def secrets_of(container: dict[str, Any]) -> set[str]:
    return {source["secretRef"]["name"] for source in container["envFrom"]}


def test_every_placeholder_of_the_job_template_is_a_variable_and_the_other_way_round():
    used = set(re.findall(r"\{\{ (\w+) \}\}", json.dumps(TEMPLATE["job_configuration"])))
    assert used == set(VARIABLES)


def test_callers_set_the_size_of_a_job_and_nothing_else():
    assert set(VARIABLES) == {"cpu_request", "cpu_limit", "memory_request", "memory_limit"}
    assert TEMPLATE["variables"]["additionalProperties"] is False


def test_everything_lives_in_one_namespace():
    documents = [*manifests("worker.yaml"), *manifests("set-up.yaml")]
    assert {each["metadata"]["namespace"] for each in documents} == {"trainfold"}
    assert TEMPLATE["job_configuration"]["namespace"] == JOB["metadata"]["namespace"] == "trainfold"


def test_accounts_and_secrets_that_are_named_are_made():
    documents = manifests("worker.yaml")
    accounts = {each["metadata"]["name"] for each in documents if each["kind"] == "ServiceAccount"}
    worker = pod(documents[-1])
    (set_up,) = manifests("set-up.yaml")
    named = {POD["serviceAccountName"]}
    assert named | {each["serviceAccountName"] for each in (worker, pod(set_up))} == accounts
    made = set(re.findall(r"create secret generic (\S+)", README))
    used = secrets_of(worker["containers"][0]) | secrets_of(pod(set_up)["containers"][0])
    assert used | secrets_of(POD["containers"][0]) == made


def test_images_are_this_release_and_the_locked_prefect():
    (set_up,) = manifests("set-up.yaml")
    assert pod(set_up)["containers"][0]["image"] == f"trainfold:{__version__}"
    assert POD["containers"][0]["image"] == f"trainfold:{__version__}"
    worker = pod(manifests("worker.yaml")[-1])["containers"][0]
    assert worker["image"].startswith(f"prefecthq/prefect:{version('prefect')}-")


def test_the_set_up_is_that_of_compose():
    (set_up,) = manifests("set-up.yaml")
    services = composition(new_environment())["services"]
    assert pod(set_up)["containers"][0]["command"] == services["set-up"]["command"]


def test_the_work_pool_is_the_deployments():
    worker = pod(manifests("worker.yaml")[-1])["containers"][0]
    assert worker["command"][:5] == ["prefect", "worker", "start", "--pool", WORK_POOL]
    assert f"prefect work-pool create {WORK_POOL} --type kubernetes" in README
