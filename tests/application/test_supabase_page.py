"""The page about Supabase is carried out on the rebuilt application, command by command."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations import resources
from tests.application.conftest import OWNER, Application, Conversation, NewApplication
from tests.application.services import SUPERUSER

pytestmark = pytest.mark.thorough

PAGE = (Path(__file__).parents[2] / "docs/supabase.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", PAGE, flags=re.MULTILINE)
# These would stop and start the services of the whole session.
OF_THE_LOCAL_STACK = {"trainfold up"}


@pytest.fixture
def project(new_project: NewApplication, conversations: list[Conversation]) -> Application:
    project = new_project()
    project.create_tables()
    project.insert(conversations)
    project.run_sql(f"GRANT CREATE ON DATABASE {project.database} TO {OWNER}", SUPERUSER)
    return project


@pytest.fixture
def folder(
    project: Application,
    conversations: list[Conversation],
    prefect_server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """An empty folder, with the page's settings in the environment."""
    buckets = {"conversation-files": "source", "trainfold-files": "versions"}
    for name, value in re.findall(r"^export (TRAINFOLD_\w+_BUCKET)='(.+)'$", PAGE, re.MULTILINE):
        own = f"{buckets[value]}-of-{project.database}".replace("_", "-")
        monkeypatch.setenv(name, own)
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", project.url())
    resources.forget()
    store = resources.conversations_store()
    store.create_bucket()
    for one in conversations:
        store.put(one.path, one.data, content_type="application/json")
    yield tmp_path
    resources.forget()


def test_the_pages_commands_lead_to_the_first_version(project: Application, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    assert len(COMMANDS) == 8
    for command in COMMANDS:
        if command in OF_THE_LOCAL_STACK:
            continue
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if command == "trainfold doctor":
            # Prefect has no deployments here; all that the page is about is sound.
            failed = re.findall(r"^failed\s+(\S+)", done.stdout, flags=re.MULTILINE)
            assert [check for check in failed if not check.startswith("prefect")] == []
            continue
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        if "rights.sql" in command:
            project.run_sql((folder / "rights.sql").read_text())
    assert "is sound" in done.stdout


def test_the_page_names_each_setting_that_is_needed() -> None:
    named = set(re.findall(r"TRAINFOLD_\w+", PAGE))
    assert {
        "TRAINFOLD_DATABASE_URL",
        "TRAINFOLD_S3_ENDPOINT_URL",
        "TRAINFOLD_S3_REGION",
        "TRAINFOLD_S3_ACCESS_KEY",
        "TRAINFOLD_S3_SECRET_KEY",
        "TRAINFOLD_TRAINING_FILES_BUCKET",
    } <= named
