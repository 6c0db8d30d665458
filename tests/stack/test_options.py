import pytest

from domain.errors import NotReady
from operations.settings import Settings, is_configured
from trainfold.stack import Options, StackError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_no_password(host: str):
    Options(prefect_host=host).require_protection()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "prefect.example", ""])
def test_elsewhere_it_is_refused_without_one(host: str):
    with pytest.raises(StackError, match="TRAINFOLD_PREFECT_AUTH"):
        Options(prefect_host=host).require_protection()
    with pytest.raises(StackError, match="TRAINFOLD_PREFECT_AUTH"):
        Options(prefect_host=host, prefect_auth="").require_protection()
    Options(prefect_host=host, prefect_auth="trainfold:secret").require_protection()


def test_a_password_alone_is_refused():
    with pytest.raises(StackError, match="user:password"):
        Options(prefect_auth="secret").require_protection()


def test_the_password_is_not_shown():
    assert "secret" not in repr(Options(prefect_auth="trainfold:secret"))


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("192.0.2.7", "192.0.2.7")],
)
def test_this_machines_clients_ask_an_address_that_they_can_reach(host: str, address: str):
    assert Options(prefect_host=host).prefect_address == address


def test_a_password_does_not_make_the_prefect_server_anothers(monkeypatch):
    for name in ("PREFECT_API_URL", "TRAINFOLD_PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRAINFOLD_PREFECT_AUTH", "trainfold:secret")
    monkeypatch.setenv("TRAINFOLD_PREFECT_HOST", "0.0.0.0")
    assert not is_configured("prefect")
    monkeypatch.setenv("TRAINFOLD_PREFECT_API_URL", "http://prefect.example/api")
    assert is_configured("prefect")


def test_a_schema_does_not_make_the_database_anothers(monkeypatch):
    monkeypatch.delenv("TRAINFOLD_DATABASE_URL", raising=False)
    monkeypatch.setenv("TRAINFOLD_DATABASE_SCHEMA", "elsewhere")
    monkeypatch.setenv("TRAINFOLD_SOURCE_SCHEMA", "public")
    assert not is_configured("database")
    monkeypatch.setenv("TRAINFOLD_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert is_configured("database")


def test_the_local_stacks_database_is_used_with_another_schema(monkeypatch, tmp_path):
    (tmp_path / "stack.json").write_text('{"database_url": "postgresql://here"}')
    monkeypatch.setenv("TRAINFOLD_HOME", str(tmp_path))
    monkeypatch.delenv("TRAINFOLD_DATABASE_URL", raising=False)
    monkeypatch.setenv("TRAINFOLD_DATABASE_SCHEMA", "elsewhere")
    settings = Settings()
    assert settings.require_database_url() == "postgresql://here"
    assert (settings.database_schema, settings.source_schema) == ("elsewhere", None)


@pytest.mark.parametrize("name", ["", "Trainfold", "a-b", 'x"; DROP', "1st", "public", "pg_own"])
def test_the_own_schema_has_a_plain_name_and_is_not_everybodys(monkeypatch, name: str):
    monkeypatch.setenv("TRAINFOLD_DATABASE_SCHEMA", name)
    with pytest.raises(NotReady, match="TRAINFOLD_DATABASE_SCHEMA is"):
        Settings()
