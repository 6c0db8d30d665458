"""The sessions of the README and of docs/versions.md are run, and their output compared."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from trainfold.cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SESSION = re.compile(r"<!-- session -->\n```console\n(.*?)```", re.DOTALL)

# What differs from run to run: ids, digests and moments.
VARIABLE = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\.[0-9a-f]{8}/"), ".<attempt>/"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "<moment>"),
)


def steps(page: str) -> list[tuple[str, str]]:
    """Each command of a page's sessions with the output that it shows."""
    text = "".join(SESSION.findall(page))
    parts = re.split(r"^\$ (.*)$", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def plain(output: str) -> str:
    for pattern, name in VARIABLE:
        output = pattern.sub(name, output)
    return output.strip()


@pytest.mark.usefixtures("engine", "prefect_server")
@pytest.mark.parametrize(("page", "count"), [("README.md", 9), ("docs/versions.md", 16)])
def test_the_session_of_a_page_prints_what_it_shows(tmp_path: Path, page: str, count: int):
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = steps((ROOT / page).read_text(encoding="utf-8"))
    assert len(found) == count
    for command, shown in found:
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert plain(done.stdout) == plain(shown), command + done.stderr


def test_the_readme_names_every_command():
    names = [entry.name for entry in COMMANDS]
    assert len(names) == 41
    missing = [name for name in names if not re.search(rf"[` ,]{name}\b", README)]
    assert missing == []


def test_every_link_of_the_documentation_leads_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_committed_file_names_a_package_index():
    assert not (ROOT / "uv.lock").exists()
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in lock
    assert "://" not in lock
