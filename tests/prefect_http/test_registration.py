import pytest

from domain.errors import NotReady
from tests import rest
from trainfold.prefect_http import registration
from trainfold.prefect_http.client import PrefectApi
from trainfold.prefect_http.registration import register


@pytest.fixture
def api(deployments: str) -> PrefectApi:
    return rest.api(deployments)


def registered(api: PrefectApi) -> dict[str, dict]:
    found = api.post("/deployments/filter", {})
    return {deployment["name"]: deployment for deployment in found}


def schedules(api: PrefectApi) -> dict[str, list[bool]]:
    return {
        name: [schedule["active"] for schedule in deployment["schedules"]]
        for name, deployment in registered(api).items()
    }


def test_every_deployment_has_a_closed_form_and_no_path_of_this_machine(api: PrefectApi):
    found = registered(api)
    assert sorted(found) == [
        "add-conversations",
        "add-matching",
        "export-version",
        "identify",
        "maintain",
        "rebuild-all",
        "rebuild-training-file",
        "remove-conversations",
        "rollback",
        "verify-all",
    ]
    for deployment in found.values():
        assert deployment["enforce_parameter_schema"]
        assert deployment["parameter_openapi_schema"]["additionalProperties"] is False
        assert (deployment["pull_steps"], deployment["path"]) == ([], None)
        assert deployment["global_concurrency_limit"]["limit"] >= 1


def test_only_the_rebuild_of_all_waits_to_be_turned_on(api: PrefectApi):
    assert schedules(api) == {
        "add-conversations": [],
        "add-matching": [],
        "export-version": [],
        "identify": [],
        "maintain": [True],
        "rebuild-all": [False],
        "rebuild-training-file": [],
        "remove-conversations": [],
        "rollback": [],
        "verify-all": [True],
    }


def test_registering_again_turns_the_schedule_on_and_doubles_nothing(api: PrefectApi):
    before = registered(api)
    register(api, environment={}, scheduled_rebuild=True)
    after = registered(api)
    assert {n: d["id"] for n, d in before.items()} == {n: d["id"] for n, d in after.items()}
    assert schedules(api)["rebuild-all"] == [True]
    assert schedules(api)["maintain"] == [True]
    automations = [each["name"] for each in api.post("/automations/filter", {})]
    assert sorted(automations) == [
        "trainfold-silent-runs-are-crashed",
        "trainfold-silent-runs-run-again",
    ]
    register(api, environment={}, scheduled_rebuild=False)
    assert schedules(api)["rebuild-all"] == [False]


def test_what_prefect_refuses_to_register_is_said(api: PrefectApi, tmp_path, monkeypatch):
    (tmp_path / "prefect.yaml").write_text("deployments: [{name: x, entrypoint: no.such.flow}]")
    monkeypatch.setattr(registration, "_folder", lambda: tmp_path)
    with pytest.raises(NotReady, match="could not be registered"):
        register(api, environment={}, scheduled_rebuild=False)
