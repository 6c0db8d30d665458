"""Who runs the command."""

import getpass


def current_user() -> str:
    """Return the name of this machine's user, recorded on what the command makes."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
