"""Addresses of PostgreSQL and S3, direct or behind proxies; can be sent to other processes."""

from dataclasses import dataclass, field, replace
from urllib.parse import urlencode, urlsplit, urlunsplit

from sqlalchemy import Engine

from db.engine import make_engine
from domain.errors import NotReady
from operations.settings import Settings
from soak.proxy import Address
from storage.client import READ_TIMEOUT_SECONDS, make_client
from storage.multipart import UploadStrategy
from storage.s3 import SINGLE_PUT_BYTES, STRATEGIES, S3Store
from trainfold.stack.loopback import LOOPBACK


@dataclass(frozen=True)
class Services:
    database_url: str = field(repr=False)
    s3_url: str
    s3_region: str
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    conversations_bucket: str
    training_files_bucket: str

    @classmethod
    def of(cls, settings: Settings) -> "Services":
        access, secret = settings.s3_access_key, settings.s3_secret_key
        if settings.s3_endpoint_url is None or access is None or secret is None:
            raise NotReady("The soak needs an S3 endpoint and its keys, as the local stack has.")
        return cls(
            database_url=settings.require_database_url(),
            s3_url=settings.s3_endpoint_url,
            s3_region=settings.s3_region,
            s3_access_key=access.get_secret_value(),
            s3_secret_key=secret.get_secret_value(),
            conversations_bucket=settings.conversations_bucket,
            training_files_bucket=settings.training_files_bucket,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which trainfold finds these services."""
        return {
            "TRAINFOLD_DATABASE_URL": self.database_url,
            "TRAINFOLD_S3_ENDPOINT_URL": self.s3_url,
            "TRAINFOLD_S3_REGION": self.s3_region,
            "TRAINFOLD_S3_ACCESS_KEY": self.s3_access_key,
            "TRAINFOLD_S3_SECRET_KEY": self.s3_secret_key,
            "TRAINFOLD_CONVERSATIONS_BUCKET": self.conversations_bucket,
            "TRAINFOLD_TRAINING_FILES_BUCKET": self.training_files_bucket,
        }

    @property
    def database(self) -> Address:
        return _address(self.database_url)

    @property
    def s3(self) -> Address:
        return _address(self.s3_url)

    def through(self, *, database_port: int, s3_port: int) -> "Services":
        """Return the same services behind two proxies on loopback."""
        return replace(
            self,
            database_url=_with_port(self.database_url, database_port),
            s3_url=_with_port(self.s3_url, s3_port),
        )

    def with_options(self, **options: str) -> "Services":
        """Return the same services, with settings for every session of the database."""
        text = " ".join(f"-c {name}={value}" for name, value in options.items())
        return replace(self, database_url=f"{self.database_url}?{urlencode({'options': text})}")

    def engine(self) -> Engine:
        return make_engine(self.database_url)

    def stores(
        self,
        *,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
        strategy: UploadStrategy | None = None,
    ) -> tuple[S3Store, S3Store]:
        """Open the conversations' bucket and the training files' bucket, on one client.

        A strategy is used for all objects larger than its smallest part.
        """
        client = make_client(
            endpoint_url=self.s3_url,
            region=self.s3_region,
            access_key=self.s3_access_key,
            secret_key=self.s3_secret_key,
            read_timeout_seconds=read_timeout_seconds,
        )
        files = S3Store(
            client,
            self.training_files_bucket,
            single_put_bytes=strategy.min_bytes if strategy else SINGLE_PUT_BYTES,
            strategies=(strategy,) if strategy else STRATEGIES,
        )
        return S3Store(client, self.conversations_bucket), files


def _address(url: str) -> Address:
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise NotReady("The soak needs addresses with a host and a port.")
    return parts.hostname, parts.port


def _with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{LOOPBACK}:{port}"))
