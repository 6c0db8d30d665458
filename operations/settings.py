"""Settings: read once at the edge, from the environment, then from the local stack if it runs.

Every field is `TRAINFOLD_<NAME>` in the environment. What is not set there comes from
`stack.json` in TRAINFOLD_HOME, which the local stack writes while it runs.
"""

import os
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from stat import S_ISDIR
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    JsonConfigSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from domain.errors import NotReady
from domain.findings import shortened
from domain.source.limits import Limits
from domain.versions.garbage import MIN_SAFE_AGE
from operations.environment import Duration, EnvironmentSettings, Flag, Host, WebAddress


def home_directory() -> Path:
    """Return where the local stack keeps its data: TRAINFOLD_HOME, or one place per user.

    As root it lies outside of /root: the embedded PostgreSQL runs as a user of its own.
    """
    configured = os.environ.get("TRAINFOLD_HOME")
    if configured:
        return _usable_home(configured)
    if getattr(os, "geteuid", lambda: 1)() == 0:
        return Path("/var/lib/trainfold")
    return platformdirs.user_data_path("trainfold")


def _usable_home(configured: str) -> Path:
    """Return the folder, which need not exist; raise NotReady for what can be none."""
    try:
        home = Path(configured).expanduser().resolve()
        if S_ISDIR(home.lstat().st_mode):
            return home
        problem = "it is no folder"
    except FileNotFoundError:
        return home
    except (OSError, RuntimeError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
    raise NotReady(
        f"TRAINFOLD_HOME is “{shortened(configured)}”, which cannot be used: {problem}. "
        "Nothing was done. Set it to a folder of yours, or unset it."
    )


ServiceName = Literal["database", "s3", "prefect"]
SERVICES: tuple[ServiceName, ...] = ("database", "s3", "prefect")
PREFECT_ADDRESSES = frozenset({"TRAINFOLD_PREFECT_API_URL", "PREFECT_API_URL"})
"""What else there is about Prefect in the environment may be about the local stack's."""
DATABASE_ADDRESS = "TRAINFOLD_DATABASE_URL"
DELETED_FILE_GRACE = timedelta(days=7)
MAX_LINK_LIFETIME = timedelta(days=7)
"""S3 signs no longer."""
SCHEMA_VARIABLES = frozenset({"TRAINFOLD_DATABASE_SCHEMA", "TRAINFOLD_SOURCE_SCHEMA"})
"""They tell where in a database tables are, be it configured or the local stack's."""
SchemaName = Annotated[
    str,
    Field(
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="a schema's name of lower-case letters, digits and _, of its own if it is "
        "trainfold's: not public, information_schema or pg_…",
    ),
]
Bucket = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._-]{1,255}$",
        description="a bucket's name of letters, digits, dots, dashes and _",
    ),
]


def _of_our_own(schema: str) -> str:
    if schema in ("public", "information_schema") or schema.startswith("pg_"):
        raise ValueError("trainfold's tables need a schema of their own, which others do not use")
    return schema


def is_service_variable(name: str, services: Collection[ServiceName] = SERVICES) -> bool:
    """Tell whether a variable of the environment configures one of these services."""
    if name in PREFECT_ADDRESSES:
        return "prefect" in services
    if name == DATABASE_ADDRESS:
        return "database" in services
    return "s3" in services and name.startswith("TRAINFOLD_S3_")


def is_configured(service: ServiceName) -> bool:
    """Tell whether the environment names this service, so that the local stack's is not used."""
    return any(is_service_variable(name, [service]) for name in os.environ)


class _LocalStack(JsonConfigSettingsSource):
    """What the local stack of TRAINFOLD_HOME says, for services that are not configured.

    A service comes whole from one place: never an own bucket with the local stack's password.
    """

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        path = home_directory() / "stack.json"
        try:
            super().__init__(settings_cls, json_file=path)
        except (OSError, ValueError) as error:
            raise NotReady(
                f"{path} cannot be read: {error}. Nothing was done. Stop what still runs with "
                "`trainfold down`, remove the file, and run `trainfold up`."
            ) from error

    def __call__(self) -> dict[str, Any]:
        ignored = tuple(f"{service}_" for service in SERVICES if is_configured(service))
        found = super().__call__()
        return {key: value for key, value in found.items() if not key.startswith(ignored)}


class Settings(EnvironmentSettings):
    model_config = SettingsConfigDict(
        env_prefix="TRAINFOLD_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    database_url: SecretStr | None = None
    database_schema: Annotated[SchemaName, AfterValidator(_of_our_own)] = "trainfold"
    """Where trainfold's own tables are."""
    source_schema: SchemaName | None = None
    """Where conversations and batches are read; see `db.engine.make_engine`."""
    s3_endpoint_url: WebAddress | None = None
    s3_region: str = Field(
        "us-east-1",
        pattern=r"^[A-Za-z0-9-]{1,63}$",
        description="a region as in us-east-1, of letters, digits and dashes",
    )
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None
    prefect_api_url: WebAddress | None = None
    prefect_auth: SecretStr | None = None
    """The Prefect server's `user:password`, if it asks for one."""
    prefect_host: Host = "127.0.0.1"
    """Where the local stack's Prefect server listens."""
    scheduled_rebuild: Flag = False
    """Whether all training files are rebuilt by schedule."""
    conversations_bucket: Bucket = "conversation-files"
    training_files_bucket: Bucket = "training-files"
    task_runner: Literal["threads", "dask"] = Field("threads", description="threads or dask")
    dask_address: str | None = Field(
        None, pattern=r"^([a-z]+://\S+)?$", description="an address as in tcp://host:8786"
    )
    """A Dask scheduler; without one, each flow run starts a cluster on its own machine."""
    download_link_lifetime: Duration = Field(
        timedelta(hours=1),
        ge=timedelta(seconds=1),
        le=MAX_LINK_LIFETIME,
        description="a time of one second to seven days, in seconds or in ISO 8601 as in PT1H",
    )
    garbage_safe_age: Duration = Field(
        timedelta(days=1),
        ge=MIN_SAFE_AGE,
        description=f"at least {MIN_SAFE_AGE}, in seconds or in ISO 8601 as in PT2H",
    )
    deleted_file_grace: Duration = Field(
        DELETED_FILE_GRACE,
        ge=timedelta(0),
        description="no less than 0, in seconds or in ISO 8601 as in P7D",
    )
    """How long the objects of a deleted training file stay in the store."""
    limits: Limits = Field(
        default_factory=Limits,
        description='a JSON object as in {"nesting": 64}; or set TRAINFOLD_LIMITS__NESTING',
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _LocalStack(settings_cls)

    def require_database_url(self) -> str:
        """Return the database's URL; raises NotReady when there is none."""
        if self.database_url is None:
            raise NotReady(
                "No database is configured and the local stack is not running. "
                "Run `trainfold up`, or set TRAINFOLD_DATABASE_URL."
            )
        return self.database_url.get_secret_value()
