"""The generated secrets of one home directory: made once, kept over restarts."""

import secrets
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from trainfold.stack.private_json import PrivateJsonFile, write_private_json

# Letters and digits only, so that a secret needs no quoting in a URL.
_secret = partial(secrets.token_hex, 20)


@dataclass(frozen=True)
class Credentials:
    database_password: str = field(default_factory=_secret)
    s3_access_key: str = field(default_factory=partial(secrets.token_hex, 10))
    s3_secret_key: str = field(default_factory=_secret)
    seaweedfs_signing_key: str = field(default_factory=_secret)


def _path(home: Path) -> Path:
    return home / "credentials.json"


def ensure_credentials(home: Path) -> None:
    """Generate the secrets of a new home; the caller holds the home's lock."""
    if not _path(home).exists():
        write_private_json(_path(home), asdict(Credentials()))


def read_credentials(home: Path) -> Credentials:
    """The secrets that ensure_credentials generated."""
    return Credentials(**PrivateJsonFile(_path(home)).read())
