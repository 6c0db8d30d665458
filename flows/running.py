"""Where the mapped tasks of a flow run: in threads of its process, or on a Dask cluster."""

import copyreg
from collections.abc import Callable
from typing import Any

from prefect.task_runners import TaskRunner
from prefect.utilities.annotations import quote

from domain.errors import NotReady
from trainfold.settings import Settings


def task_runner() -> TaskRunner[Any] | None:
    """What TRAINFOLD_TASK_RUNNER says; None is Prefect's own choice, threads.

    Read where a flow is defined, as a flow's task runner is fixed there.
    """
    settings = Settings()
    return None if settings.task_runner == "threads" else _dask(settings.dask_address)


def _dask(address: str | None) -> TaskRunner[Any]:
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415 - slow, an extra
    except ModuleNotFoundError as error:
        raise NotReady(
            "TRAINFOLD_TASK_RUNNER is dask, and prefect-dask is not installed. Nothing was "
            "started. Install trainfold with its extra `dask`, or unset the variable."
        ) from error
    return DaskTaskRunner(address=address)


def quoted(value: object) -> quote:
    return quote(value)


def _reduced(argument: quote) -> tuple[Callable[[object], quote], tuple[object]]:
    return quoted, (argument.unquote(),)


# A tuple with a constructor of its own: unmended, each pickling on the way to a Dask worker wraps
# what is quoted once more. Unpickling `quoted` mends it in the scheduler's process too.
copyreg.pickle(quote, _reduced)
