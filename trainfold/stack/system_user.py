"""The system user that PostgreSQL runs as when root starts it, since it refuses to run as root."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

from trainfold.stack.errors import StackError

USER_NAME = "trainfold-postgres"


def is_root() -> bool:
    return os.geteuid() == 0


def ensure_system_user() -> None:
    """Create the user if this process is root's and there is none yet."""
    if not is_root() or _exists():
        return
    useradd = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
    if useradd is None:
        raise StackError(
            "PostgreSQL does not run as root, and there is no `useradd` to create the user "
            f"{USER_NAME} for it. Nothing was started. Run trainfold as an ordinary user."
        )
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    created = subprocess.run(
        [useradd, *options, USER_NAME], capture_output=True, text=True, check=False
    )
    # Another home's `up` may have created the user at the same moment.
    if created.returncode != 0 and not _exists():
        raise StackError(
            f"The user {USER_NAME}, which PostgreSQL needs when root starts it, could not be "
            f"created: {created.stderr.strip()}. Nothing was started. "
            "Create it by hand, or run trainfold as an ordinary user."
        )


def _exists() -> bool:
    return any(entry.pw_name == USER_NAME for entry in pwd.getpwall())


def run_as() -> dict[str, Any]:
    """Return the arguments that make subprocess.run use the user; none if this is not root."""
    if not is_root():
        return {}
    return {"user": USER_NAME, "group": pwd.getpwnam(USER_NAME).pw_gid, "extra_groups": []}


def give(path: Path) -> None:
    """Make the user the owner of a path, if this is root."""
    if is_root():
        entry = pwd.getpwnam(USER_NAME)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def closed_directory(path: Path) -> Path | None:
    """Return the first directory on the way to the path, or itself, that others cannot enter."""
    way = (*reversed(path.parents), path)
    return next((step for step in way if not step.stat().st_mode & stat.S_IXOTH), None)
