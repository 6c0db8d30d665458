"""A progress bar in Prefect for task runs that are under way."""

from collections.abc import Sequence
from typing import Any

from prefect.futures import PrefectFuture, as_completed

from tasks.report import ProgressBar


def show_progress(futures: Sequence[PrefectFuture[Any]], what: str) -> None:
    """Return when all are done; `what` names them, as in “conversations fetched”."""
    progress = ProgressBar(len(futures), what)
    for _ in as_completed(list(futures)):
        progress.advance()
