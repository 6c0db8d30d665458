"""An address is understood in the forms in which people find it, or refused without any of it."""

import traceback

import pytest

from db.address import read_address
from db.engine import current_time, make_engine, reading
from domain.errors import NotReady, Unreachable
from domain.source.limits import Limits
from operations import resources
from operations.add import add
from tests.asking import request
from tests.commands import run
from tests.conftest import Library

PASSWORD = "s3cr3t"
UNREADABLE = {
    "an @ in the password": "postgresql://app:pre@s3cr3t@db.example.org:5432/app",
    "@ and /": "postgresql://app:pre@s3cr3t/x@db.example.org/app",
    "@ and ?": "postgresql://app:pre@db?s3cr3t@db.example.org/app",
    "@ and ?=": "postgresql://app:pre@db?s3cr3t=x@db.example.org/app",
    "@ and :": "postgresql://app:pre@x:s3cr3t@db.example.org/app",
    "@ and #": "postgresql://app:pre@s3cr3t#@db.example.org/app",
    "a port of letters": "postgresql://app@db.example.org:s3cr3t/app",
    "a host of blanks": "postgresql://app:x@s3cr3t host/app",
    "a placeholder": "postgresql://app:[s3cr3t]@db.example.org/app",
    "another program's": "mysql://app:s3cr3t@db.example.org/app",
    "quotes": '"postgresql://app:s3cr3t@db.example.org/app"',
    "no address": "s3cr3t",
}


@pytest.mark.parametrize("address", UNREADABLE.values(), ids=UNREADABLE)
def test_an_address_that_cannot_be_read_is_explained_without_a_piece_of_it(address):
    with pytest.raises(NotReady) as caught:
        make_engine(address)
    shown = "".join(traceback.format_exception(caught.value))
    assert "TRAINFOLD_DATABASE_URL" in str(caught.value)
    assert "Nothing was done" in str(caught.value)
    assert PASSWORD not in shown.replace(address, "")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("kind", ["an @ in the password", "@ and /", "@ and ?", "@ and :"])
def test_an_unescaped_password_is_recognised(kind):
    with pytest.raises(NotReady, match="percent-encode the password in it: @ is %40"):
        make_engine(UNREADABLE[kind])


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_command_shows_no_piece_of_a_password(monkeypatch, json):
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", UNREADABLE["@ and /"])
    ran = run("files", *json)
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert PASSWORD not in ran.out + ran.err
    assert "percent-encode" in ran.err


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_scheme_becomes_psycopg(scheme):
    address = read_address(f"{scheme}://app:p%40ss@db.example.org:6543/app?sslmode=require")
    assert address.url.drivername == "postgresql+psycopg"
    assert (address.url.username, address.url.password) == ("app", "p@ss")
    assert (address.url.host, address.url.port, address.url.database) == (
        "db.example.org", 6543, "app",
    )  # fmt: skip
    assert address.url.query == {"sslmode": "require"}


@pytest.mark.parametrize("password", ["a#b", "a/b", "a?b", "a:b", "100%", "a#/?:b"])
def test_what_can_only_be_the_password_is_taken_for_it(password):
    url = read_address(f"postgresql://app:{password}@db.example.org/app").url
    assert (url.password, url.host, url.database) == (password, "db.example.org", "app")


def test_options_of_other_drivers_are_honoured_or_left_out():
    address = read_address(
        "postgres://app:x@h/d?pgbouncer=true&connection_limit=3&pool_timeout=7&schema=app"
        "&supa=base-pooler.x&application_name=me%40home&ssl_mod=require&ssl=true"
    )
    assert address.url.query == {"application_name": "me@home", "sslmode": "require"}
    assert (address.max_connections, address.pool_timeout_seconds) == (3, 7)
    assert address.schema == "app"
    assert address.ignored == ("ssl_mod",)


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ("sslmode=no-verify", {"sslmode": "require"}),
        ("ssl=verify-full", {"sslmode": "verify-full"}),
        ("sslaccept=strict", {"sslmode": "verify-full", "sslrootcert": "system"}),
        ("sslaccept=accept_invalid_certs", {}),
        ("ssl=0&sslmode=require", {"sslmode": "require"}),
    ],
)
def test_what_other_drivers_call_encryption_is_what_libpq_does(options, query):
    assert read_address(f"postgres://app@h/d?{options}").url.query == query


def test_a_database_is_reached_by_an_address_with_options_of_other_drivers(engine):
    url = engine.url.render_as_string(hide_password=False)
    other = make_engine(f"{url}?pgbouncer=true&connection_limit=1&pool_timeout=1&supa=x&schema=y")
    with reading(other) as connection:
        assert current_time(connection)
    assert other.pool.size() == 1
    other.dispose()


def test_one_connection_is_enough_for_an_add(library: Library):
    url = library.engine.url.render_as_string(hide_password=False)
    one = make_engine(f"{url}?connection_limit=1&pool_timeout=1")
    version = add(
        one,
        library.store,
        resources.training_files_store(),
        request("A", library.add_many(2), new=True),
        limits=Limits(),
    )
    assert version.number == 1
    one.dispose()


def test_a_pool_without_a_free_connection_says_so(engine):
    url = engine.url.render_as_string(hide_password=False)
    one = make_engine(f"{url}?connection_limit=1&pool_timeout=1")
    with (
        reading(one),
        pytest.raises(Unreachable, match=r"connections are in use.*connection_limit"),
        reading(one),
    ):
        pass
    one.dispose()
