"""Prefect's forms: the parameters of each deployment, and how prefect.yaml deploys them.

`TRAINFOLD_GOLDEN=record python -m pytest tests/golden` records them.
"""

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.utilities.callables import parameter_schema

from tests.golden.golden import compare

SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS: list[dict[str, Any]] = SHIPPED["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda it: it["name"])
def test_the_form_of_a_deployment(deployment: dict[str, Any]):
    module, _, name = deployment["entrypoint"].rpartition(".")
    flow = getattr(importlib.import_module(module), name)
    found = {"flow": flow.name, "parameters": parameter_schema(flow).model_dump(mode="json")}
    compare(f"forms/{deployment['name']}", found)


def test_the_deployments_of_prefect_yaml():
    prose = "description"
    found = [{key: it[key] for key in it if key != prose} for it in DEPLOYMENTS]
    compare("deployments", found)
