"""compose.yaml, read as the engine reads it: variables filled in, a service at a time."""

import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DEPLOYMENTS = Path(__file__).parents[2] / "deployments"
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def new_environment() -> dict[str, str]:
    """example.env with a secret for everything that is empty, as README.md makes .env."""
    lines = (DEPLOYMENTS / "example.env").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name: value or secrets.token_hex(20) for name, value in pairs}


def interpolate(text: str, environment: Mapping[str, str]) -> str:
    """The text with its ${…} filled in; raises KeyError for one that is required and missing."""

    def fill(found: re.Match[str]) -> str:
        name, kind, default = found.groups()
        return environment[name] if kind != "-" else environment.get(name) or default

    return VARIABLE.sub(fill, text)


def composition(environment: Mapping[str, str]) -> dict[str, Any]:
    text = (DEPLOYMENTS / "compose.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(interpolate(text, environment))
    return document
