"""Settings: read once at the edge, from the environment, then from the local stack if it runs.

Every field is `TRAINFOLD_<NAME>` in the environment. What is not set there comes from
`stack.json` in TRAINFOLD_HOME, which the local stack writes while it runs.
"""

import os
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
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
from domain.source.limits import Limits
from domain.versions.garbage import MIN_SAFE_AGE


def home_directory() -> Path:
    """Return where the local stack keeps its data: TRAINFOLD_HOME, or one place per user.

    As root it lies outside of /root: the embedded PostgreSQL runs as a user of its own.
    """
    configured = os.environ.get("TRAINFOLD_HOME")
    if configured:
        return Path(configured).expanduser().resolve()
    if getattr(os, "geteuid", lambda: 1)() == 0:
        return Path("/var/lib/trainfold")
    return platformdirs.user_data_path("trainfold")


ServiceName = Literal["database", "s3", "prefect"]
SERVICES: tuple[ServiceName, ...] = ("database", "s3", "prefect")
PREFECT_ADDRESSES = frozenset({"TRAINFOLD_PREFECT_API_URL", "PREFECT_API_URL"})
"""What else there is about Prefect in the environment may be about the local stack's."""
DATABASE_ADDRESS = "TRAINFOLD_DATABASE_URL"
DELETED_FILE_GRACE = timedelta(days=7)
SCHEMA_VARIABLES = frozenset({"TRAINFOLD_DATABASE_SCHEMA", "TRAINFOLD_SOURCE_SCHEMA"})
"""They tell where in a database tables are, be it configured or the local stack's."""
SchemaName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


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
        super().__init__(settings_cls, json_file=home_directory() / "stack.json")

    def __call__(self) -> dict[str, Any]:
        ignored = tuple(f"{service}_" for service in SERVICES if is_configured(service))
        found = super().__call__()
        return {key: value for key, value in found.items() if not key.startswith(ignored)}


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="TRAINFOLD_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    database_url: SecretStr | None = None
    database_schema: Annotated[SchemaName, AfterValidator(_of_our_own)] = "trainfold"
    """Where trainfold's own tables are."""
    source_schema: SchemaName | None = None
    """Where conversations and batches are read; see `db.engine.make_engine`."""
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None
    prefect_api_url: str | None = None
    prefect_auth: SecretStr | None = None
    """The Prefect server's `user:password`, if it asks for one."""
    prefect_host: str = "127.0.0.1"
    """Where the local stack's Prefect server listens."""
    scheduled_rebuild: bool = False
    """Whether all training files are rebuilt by schedule."""
    conversations_bucket: str = "conversation-files"
    training_files_bucket: str = "training-files"
    task_runner: Literal["threads", "dask"] = "threads"
    dask_address: str | None = None
    """A Dask scheduler; without one, each flow run starts a cluster on its own machine."""
    download_link_lifetime: timedelta = timedelta(hours=1)
    garbage_safe_age: timedelta = Field(timedelta(days=1), ge=MIN_SAFE_AGE)
    deleted_file_grace: timedelta = Field(DELETED_FILE_GRACE, ge=timedelta(0))
    """How long the objects of a deleted training file stay in the store."""
    limits: Limits = Field(default_factory=Limits)

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
