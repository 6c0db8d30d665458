"""Upload a dataset folder to the Hugging Face hub. huggingface_hub is an extra."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path

from domain.errors import AccessRefused, NotReady, TrainfoldError, Unreachable
from domain.exports import EXPORT_FORMATS, export_parts

REPOSITORY = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,95}")


def is_repository(name: str) -> bool:
    return REPOSITORY.fullmatch(name) is not None


def push_folder(folder: Path, repository: str, *, private: bool, message: str) -> str:
    """Upload the folder as a dataset, made if it is missing; return its address.

    Files of an earlier export that are not in the folder are removed from the dataset, others are
    left. Raises NotReady without huggingface_hub, AccessRefused without a token that may write or
    where `private` is asked of a public dataset, Unreachable if the hub does not answer.
    """
    require_hub()
    from huggingface_hub import HfApi  # noqa: PLC0415 - an extra, and slow to import

    api = HfApi()
    with _own_errors(repository):
        # Without `private`, an organization's own default decides.
        made = api.create_repo(
            repository, repo_type="dataset", private=private or None, exist_ok=True
        )
        if private and not api.repo_info(made.repo_id, repo_type="dataset").private:
            raise AccessRefused(
                f"The dataset {made.repo_id} is public, and --private was asked for; nothing was "
                "uploaded: make it private on the hub, or name another."
            )
        api.upload_folder(
            repo_id=made.repo_id,
            repo_type="dataset",
            folder_path=folder,
            commit_message=message,
            delete_patterns=_own_files(),
        )
    return str(made)


def require_hub() -> None:
    """Raise NotReady without huggingface_hub, AccessRefused without a token."""
    if find_spec("huggingface_hub") is None:
        raise NotReady(
            "--push-to-hub needs huggingface_hub, which is not installed: run `pip install "
            "'trainfold[exports]'`; nothing was uploaded."
        )
    from huggingface_hub import get_token  # noqa: PLC0415 - an extra

    if get_token() is None:
        raise AccessRefused(
            "There is no token for the Hugging Face hub: run `hf auth login` or set HF_TOKEN; "
            "nothing was uploaded."
        )


@contextmanager
def _own_errors(repository: str) -> Iterator[None]:
    # HTTPError is the class of the HTTP client that this release of huggingface_hub uses.
    from huggingface_hub.errors import (  # type: ignore[attr-defined] # noqa: PLC0415 - an extra
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
    )

    try:
        yield
    except HFValidationError as error:
        raise NotReady(f"The hub has no such names ({error}); nothing was uploaded.") from error
    except HfHubHTTPError as error:
        raise _refused(repository, error.response.status_code) from error
    except (HTTPError, OSError) as error:
        raise Unreachable(
            f"The Hugging Face hub cannot be reached ({type(error).__name__}: {error}); nothing "
            "was uploaded: check the network and HF_ENDPOINT, then try again."
        ) from error


def _refused(repository: str, status: int) -> TrainfoldError:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return AccessRefused(
            f"The Hugging Face hub does not let this token write to {repository} ({status}); "
            "nothing was uploaded: use a token with the right to write."
        )
    return Unreachable(
        f"The Hugging Face hub answered {status} about {repository}; what is there was not "
        "changed: try again."
    )


def _own_files() -> list[str]:
    parts = [part for sided in (False, True) for part in export_parts(EXPORT_FORMATS, sided=sided)]
    return sorted({part.file_name for part in parts} | {"dataset_info.json", "fitness.html"})
