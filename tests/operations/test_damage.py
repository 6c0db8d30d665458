"""A training file that refuses damaged text: whoever asks, and what is in it already."""

import pytest
from sqlalchemy import Engine

from domain.errors import Blocked, NotFound
from domain.source.limits import Limits
from domain.versions.strictness import BECAUSE
from operations import add as adding
from operations.damage import read_refuses_damage
from operations.preview import check, examine
from storage.store import ObjectStore
from tests.asking import carry_out, go_back, request
from tests.conftest import Library
from tests.damaged import add_damaged, damaged_file, refuse
from tests.file_commands import actions, logged
from tests.operations.rebuilding import rebuild
from tests.operations.test_plans import add_at_once, add_parts, planned

NAMES = ("Talks", "שיחות", "ש" * 120)


def refused(asked) -> list[tuple[str | None, str]]:
    with pytest.raises(Blocked) as blocked:
        carry_out(asked)
    return [(reason.conversation_id, reason.code) for reason in blocked.value.reasons]


@pytest.mark.parametrize("name", NAMES)
def test_every_damaged_conversation_is_a_reason_and_nothing_is_added(
    engine: Engine, library: Library, name: str
):
    carry_out(request(name, [library.add()], new=True))
    refuse(name)
    cut, twice = add_damaged(library), add_damaged(library, what='He said \\"yes\\".')
    asked = request(name, [library.add(), cut, twice])
    assert refused(asked) == [(str(cut), "cut-off"), (str(twice), "double-escaped")]
    preview = examine(engine, library.store, asked, limits=Limits())
    assert [reason.code for reason in preview.reasons] == ["cut-off", "double-escaped"]
    assert BECAUSE["damage"] in preview.reasons[0].reason
    with pytest.raises(Blocked) as blocked:
        check(engine, lambda: library.store, asked, limits=Limits())
    assert list(blocked.value.reasons) == list(preview.reasons)
    assert carry_out(request(name, [library.add()])).number == 2
    refuse(name, refused=False)
    assert carry_out(asked).number == 3


def test_other_warnings_are_none_of_its_business_and_a_strict_request_refuses_them_too(
    library: Library,
):
    carry_out(request("Talks", [library.add()], new=True))
    refuse("Talks")
    odd = library.add(persona_key="somebody_else")
    assert refused(request("Talks", [odd], strict=True)) == [(str(odd), "scaffolding-differs")]
    version = carry_out(request("Talks", [odd]))
    assert [warning.code for warning in version.warnings] == ["scaffolding-differs"]


def test_other_files_and_new_ones_take_damage_as_a_warning(library: Library):
    carry_out(request("Talks", [library.add()], new=True))
    refuse("Talks")
    version = carry_out(request("Others", [add_damaged(library)], new=True))
    assert [warning.code for warning in version.warnings] == ["cut-off"]


def test_a_check_reads_no_file_where_damage_is_no_error(engine: Engine, library: Library):
    carry_out(request("Talks", [library.add()], new=True))

    def never() -> ObjectStore:
        raise AssertionError

    admission = check(engine, never, request("Talks", [add_damaged(library)]), limits=Limits())
    assert len(admission.conversations) == 1


def test_damage_that_was_read_before_the_file_came_to_refuse_it_is_refused(
    engine: Engine, library: Library, monkeypatch: pytest.MonkeyPatch
):
    carry_out(request("Talks", [library.add()], new=True))
    make_version = adding.make_version

    def refuse_first(*arguments, **options):
        refuse("Talks")
        return make_version(*arguments, **options)

    monkeypatch.setattr(adding, "make_version", refuse_first)
    id = add_damaged(library)
    assert refused(request("Talks", [id])) == [(str(id), "cut-off")]


def test_a_rebuild_names_what_is_in_it_already_and_refuses_what_is_new(
    engine: Engine, library: Library
):
    old, sound = add_damaged(library), library.add()
    carry_out(request("Talks", [old, sound], new=True))
    assert rebuild("Talks").damaged == ()
    refuse("Talks")
    unchanged = rebuild("Talks")
    assert (unchanged.is_new, unchanged.damaged) == (False, (old,))
    whole = rebuild("Talks", whole=True)
    assert (whole.is_new, whole.damaged) == (True, (old,))
    library.store.put(f"tests/{sound}.json", damaged_file(sound), content_type="application/json")
    with pytest.raises(Blocked) as blocked:
        rebuild("Talks")
    reasons = [(reason.conversation_id, reason.code) for reason in blocked.value.reasons]
    assert reasons == [(str(sound), "cut-off")]
    refuse("Talks", refused=False)
    assert rebuild("Talks").version.number == 3


def test_a_rollback_brings_back_what_was_in_the_file(engine: Engine, library: Library):
    carry_out(request("Talks", [add_damaged(library)], new=True))
    carry_out(request("Talks", [library.add()]))
    refuse("Talks")
    assert go_back("Talks", 1).number == 3


def test_the_setting_is_asked_for_logged_once_and_needs_a_file(engine: Engine, library: Library):
    carry_out(request("Talks", [library.add()], new=True))
    assert read_refuses_damage(engine, "talks") == ("Talks", False)
    refuse("talks")
    refuse("Talks")
    assert read_refuses_damage(engine, "Talks") == ("Talks", True)
    refuse("Talks", refused=False)
    assert actions("Talks") == [("create", "done"), ("damage", "done"), ("damage", "done")]
    assert [entry.in_words for entry in logged("Talks")][:2] == [
        "takes damaged text", "refuses damaged text"
    ]  # fmt: skip
    for name in ("No talks", "a\0b", "\udc80", ""):
        with pytest.raises(NotFound):
            read_refuses_damage(engine, name)
        with pytest.raises(NotFound):
            refuse(name)


@pytest.mark.parametrize("one_version", [False, True])
def test_all_that_match_are_held_to_it_too(library: Library, one_version: bool):
    carry_out(request("Talks", [library.add()], new=True))
    refuse("Talks")
    cut = add_damaged(library)
    plan = planned("Talks", "status=completed", one_version=one_version)
    with pytest.raises(Blocked) as blocked:
        add_at_once(plan) if one_version else add_parts(plan)
    reasons = [(reason.conversation_id, reason.code) for reason in blocked.value.reasons]
    assert reasons == [(str(cut), "cut-off")]
    refuse("Talks", refused=False)
    assert (add_at_once(plan) if one_version else add_parts(plan)[0]).conversation_count == 2
