"""A bucket belongs to one database, and a wrong address is no damage."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from db.engine import reading
from db.installation import installation_id
from domain.errors import Damaged, NotReady
from domain.versions.naming import INSTALLATION_KEY, is_safe_key
from operations import resources
from operations.binding import Binding, require_bound
from operations.sweep import sweep_store
from operations.verify import verified_content, verify_version
from tasks.upkeep import check_preconditions
from tests.asking import carry_out, request
from tests.commands import run_here
from tests.conftest import Library


@pytest.fixture(autouse=True)
def bound_again(engine, training_files):
    """Whatever a test does to the marker is undone."""
    yield
    training_files.delete(INSTALLATION_KEY)
    require_bound(engine, training_files, even_if_empty=True)


def own_id(engine):
    with reading(engine) as connection:
        return installation_id(connection)


def marker(training_files) -> Binding:
    return Binding.model_validate_json(training_files.get(INSTALLATION_KEY, max_bytes=1000))


def bind_to_another(training_files) -> Binding:
    other = Binding(installation=uuid4(), bound_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    write(training_files, other.model_dump_json().encode())
    return other


def write(training_files, data: bytes) -> None:
    training_files.put(INSTALLATION_KEY, data, content_type="application/json")


def test_a_new_bucket_is_bound_when_it_is_first_used(engine, training_files):
    training_files.delete(INSTALLATION_KEY)
    check_preconditions.fn()
    bound = marker(training_files)
    assert bound.installation == own_id(engine)
    assert abs(bound.bound_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert is_safe_key(INSTALLATION_KEY)


def test_a_bound_bucket_stays_as_it_is(engine, training_files):
    before = marker(training_files)
    require_bound(engine, training_files, even_if_empty=True)
    assert marker(training_files) == before


def test_a_bucket_of_another_database_is_refused_for_everything(engine, training_files):
    other = bind_to_another(training_files)
    words = (
        rf"belongs to another trainfold database \(installation {other.installation}, since "
        rf"2026-01-02 03:04\); this one is {own_id(engine)}\. Nothing was changed\."
    )
    with pytest.raises(NotReady, match=words):
        check_preconditions.fn()
    for even_if_empty in (False, True):
        with pytest.raises(NotReady, match=words):
            require_bound(engine, training_files, even_if_empty=even_if_empty)
    training_files.put("theirs", b"x", content_type="text/plain")
    with pytest.raises(NotReady, match=words):
        sweep_store(engine, training_files, safe_age=timedelta(0), delete=True)
    assert training_files.get("theirs", max_bytes=1)
    assert marker(training_files) == other


def test_maintain_in_a_bucket_of_another_database_says_so_and_fails(engine, training_files):
    other = bind_to_another(training_files)
    ran = run_here(["maintain", "--delete", "--json"])
    assert ran.code == 1
    assert str(other.installation) in ran.json["error"]["message"]


def test_who_is_overtaken_while_binding_is_refused(engine, training_files, monkeypatch):
    """The other's marker is written after the look and before the write."""
    training_files.delete(INSTALLATION_KEY)
    put = type(training_files).put

    def late(store, key, data, **options):
        bind_to_another_by(put, store)
        put(store, key, data, **options)

    monkeypatch.setattr(type(training_files), "put", late)
    with pytest.raises(NotReady, match="belongs to another"):
        require_bound(engine, training_files)


def bind_to_another_by(put, store) -> None:
    other = Binding(installation=uuid4(), bound_at=datetime.now(UTC))
    data = other.model_dump_json().encode()
    put(store, INSTALLATION_KEY, data, content_type="application/json")


@pytest.mark.parametrize("data", [b"{}", b"not JSON", b"x" * 20_000])
def test_a_marker_that_is_not_ours_is_never_overwritten(engine, training_files, data):
    write(training_files, data)
    with pytest.raises(NotReady, match="is not what trainfold wrote"):
        require_bound(engine, training_files, even_if_empty=True)
    assert training_files.get(INSTALLATION_KEY, max_bytes=20_000) == data


def test_a_bucket_without_a_marker_is_recognised_by_the_versions_in_it(
    engine, library: Library, training_files
):
    """As after an upgrade from a release that did not bind."""
    carry_out(request("Old", [library.add()], new=True))
    training_files.delete(INSTALLATION_KEY)
    require_bound(engine, training_files)
    assert marker(training_files).installation == own_id(engine)


def test_a_bucket_with_neither_marker_nor_versions_is_the_wrong_one(
    engine, library: Library, training_files
):
    version = carry_out(request("Elsewhere", [library.add()], new=True))
    wrong = resources.conversations_store()
    for use in (
        lambda: require_bound(engine, wrong),
        lambda: sweep_store(engine, wrong, safe_age=timedelta(0), delete=True),
        lambda: verify_version(engine, wrong, "Elsewhere"),
        lambda: list(verified_content(engine, wrong, version, "json")),
    ):
        with pytest.raises(NotReady, match=r"neither trainfold-installation\.json nor any object"):
            use()
    verify_version(engine, training_files, "Elsewhere")


def test_objects_that_are_really_lost_are_damage_once_the_bucket_is_taken(
    engine, library: Library, training_files
):
    version = carry_out(request("Lost", [library.add()], new=True))
    for key in (version.full.key, version.lines.key, INSTALLATION_KEY):
        training_files.delete(key)
    with pytest.raises(NotReady, match="migrate --bind"):
        verify_version(engine, training_files, "Lost")
    assert run_here(["migrate"]).code == 1
    assert run_here(["migrate", "--bind"]).code == 0
    with pytest.raises(Damaged, match=version.full.key):
        verify_version(engine, training_files, "Lost")
