"""compose.yaml and Dockerfile name what exists, publish on loopback only, and hold no secret."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from prefect.settings import Settings as PrefectSettings
from prefect.settings import get_current_settings
from typer.main import get_command

from console.settings import ConsoleSettings
from operations.settings import Settings, home_directory
from tests.deployments.composition import DEPLOYMENTS, VARIABLE, composition, new_environment
from trainfold.cli.main import app
from trainfold.stack.prefect import prefect_environment, server_environment

ROOT = DEPLOYMENTS.parent
BIN = Path(sys.executable).parent
COMPOSE = (DEPLOYMENTS / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = (DEPLOYMENTS / "Dockerfile").read_text(encoding="utf-8")
SERVICES = composition(new_environment())["services"]
OWN = {name: each for name, each in SERVICES.items() if name != "postgres"}


def image_environment() -> dict[str, str]:
    (block,) = re.findall(r"^ENV (.*?[^\\])\n", DOCKERFILE, flags=re.MULTILINE | re.DOTALL)
    return dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())


def test_every_variable_is_in_the_example_and_the_other_way_round():
    used = {name for name, _, _ in VARIABLE.findall(COMPOSE)}
    assert used == set(new_environment()) - {"COMPOSE_PROJECT_NAME"}


def test_no_secret_is_given_and_none_has_a_default():
    example = (DEPLOYMENTS / "example.env").read_text(encoding="utf-8")
    secrets = set(re.findall(r"^(\w+)=$", example, flags=re.MULTILINE))
    assert len(secrets) == 7
    optional = {name for name, kind, _ in VARIABLE.findall(COMPOSE) if kind != "?"}
    assert secrets.isdisjoint(optional)
    for name in secrets:
        short = new_environment() | {name: ""}
        without = {key: value for key, value in short.items() if value}
        with pytest.raises(KeyError, match=name):
            composition(without)


def test_ports_are_published_on_loopback_only():
    ports = [port for each in SERVICES.values() for port in each.get("ports", [])]
    assert len(ports) == 3
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)
    assert all("network_mode" not in each for each in SERVICES.values())


def test_images_are_pinned():
    for each in SERVICES.values():
        assert re.search(r":\d+\.\d+(\.\d+)?(-\w+)?$", each["image"])
    version = OWN["worker"]["image"].rpartition(":")[2]
    assert f'__version__ = "{version}"' in (ROOT / "trainfold/__init__.py").read_text()


def test_every_command_is_there():
    for name, each in OWN.items():
        command = " ".join(each["command"])
        assert shutil.which(each["command"][0], path=f"{BIN}{os.pathsep}{os.defpath}"), name
        asked = set(re.findall(r"\btrainfold ([a-z]+)", command))
        assert asked <= get_command(app).commands.keys()


def test_every_service_waited_for_says_how_it_is():
    for name, each in SERVICES.items():
        for other, wanted in each.get("depends_on", {}).items():
            has_check = "healthcheck" in SERVICES[other]
            condition = "service_healthy" if has_check else "service_completed_successfully"
            assert wanted == {"condition": condition}, name


def test_every_setting_is_one():
    own = {f"TRAINFOLD_{field}".upper() for field in Settings.model_fields}
    own |= {f"TRAINFOLD_CONSOLE_{field}".upper() for field in ConsoleSettings.model_fields}
    prefects = set(get_current_settings().to_environment_variables(include_secrets=True))
    known = own | prefects | prefect_names(PrefectSettings)
    named = {key for each in OWN.values() for key in each["environment"]} | set(image_environment())
    ours = {name for name in named if name.startswith(("TRAINFOLD_", "PREFECT_"))}
    assert ours - known == set()


def prefect_names(model: type) -> set[str]:
    """Every environment variable of Prefect's settings."""
    names: set[str] = set()
    prefix = model.model_config.get("env_prefix", "")
    for name, field in model.model_fields.items():
        inner = field.annotation
        if hasattr(inner, "model_fields"):
            names |= prefect_names(inner)
        aliases = getattr(field.validation_alias, "choices", [])
        names |= {each.upper() for each in aliases if isinstance(each, str)}
        names.add(f"{prefix}{name}".upper())
    return names


def test_the_image_and_the_server_are_set_like_the_local_stack():
    local = prefect_environment(home_directory(), "http://127.0.0.1:4200/api", auth=None)
    own_place = {"PREFECT_HOME", "PREFECT_API_URL", "PREFECT_SERVER_UI_STATIC_DIRECTORY"}
    image = image_environment()
    assert {k: v for k, v in local.items() if k not in own_place}.items() <= image.items()
    server = image | SERVICES["prefect"]["environment"]
    wanted = server_environment(home_directory(), auth=None)
    assert {k: v for k, v in wanted.items() if k not in own_place}.items() <= server.items()


def test_what_an_image_needs_is_let_into_it():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["packages"]) | set(wheel["force-include"]) <= allowed
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
    files = {name for line in copied for name in line.split()} - {"."}
    assert files <= allowed
    assert all((ROOT / name).exists() for name in allowed)


def test_the_readmes_command_fills_in_every_secret(tmp_path: Path):
    readme = (DEPLOYMENTS / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"```sh\n(umask 077\n.*?)```", readme, flags=re.DOTALL)
    shutil.copy(DEPLOYMENTS / "example.env", tmp_path)
    subprocess.run(["sh", "-euc", command], cwd=tmp_path, check=True)
    made = tmp_path / ".env"
    assert made.stat().st_mode & 0o077 == 0
    pairs = [line.split("=", 1) for line in made.read_text().splitlines() if "=" in line]
    assert all(value for _, value in pairs)
    assert len({value for _, value in pairs}) >= 7
    assert composition(dict(pairs))["services"].keys() == SERVICES.keys()


def test_the_databases_script_is_shell():
    script = DEPLOYMENTS / "postgres" / "databases.sh"
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", script], check=True)
