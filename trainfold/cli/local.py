"""`up`, `down`, `status`: the local stack."""

from operations.settings import home_directory
from trainfold.cli.output import Json, print_table, say, show
from trainfold.cli.ready import ready
from trainfold.stack import ServiceStatus, Stack


def up(json: Json = False) -> None:
    """Start the local stack: PostgreSQL, S3, Prefect, a worker and the console."""
    ready("database", "s3", "prefect", worker=True, console=True)
    _show()


def down() -> None:
    """Stop the local stack. Its data stays."""
    stopped: list[str] = []
    Stack(home_directory()).down(say=stopped.append)
    say("\n".join(stopped) or f"Nothing of {home_directory()} was running.")


def status(json: Json = False) -> None:
    """Say what of the local stack runs, where, and where its logs are."""
    _show()


def _show() -> None:

    found = Stack(home_directory()).status()
    document = {
        "home": str(home_directory()),
        "services": [
            {
                "service": each.service,
                "running": each.running,
                "address": each.address,
                "pid": each.pid,
                "log": str(each.log),
            }
            for each in found
        ],
    }
    show(document, lambda: _print(found))


def _print(found: "list[ServiceStatus]") -> None:
    say(f"Home: {home_directory()}")
    print_table(
        ["service", "state", "address", "#pid", "log"],
        (
            (s.service.label, "running" if s.running else "stopped", s.address, s.pid, s.log)
            for s in found
        ),
        empty="",
    )
