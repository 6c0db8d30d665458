"""Attacks, each of which must come to nothing."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine, text

from console.app import create_app
from console.security import passwords
from console.security.ended_sessions import EndedSessions
from console.security.forms import TOKEN_FIELD
from console.security.passwords import hash_password, verify_password
from console.security.throttle import MAX_ATTEMPTS, MAX_ENTRIES, WINDOW_SECONDS, Throttle
from console.security.users import read_users
from console.settings import ConsoleSettings
from domain.errors import NotReady
from soak.building import as_bytes, conversation
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.conftest import Page, Visit, served
from trainfold.stack.home import PrivateJsonFile

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def lines() -> str:
    # Hashing is slow on purpose.
    return f"# Curators\n\nnoor:{hash_password(PASSWORD)}\nines:{hash_password('another pass')}\n"


@pytest.fixture
def users(tmp_path: Path, lines: str) -> Path:
    file = tmp_path / "users"
    file.write_text(lines)
    return file


@pytest.fixture
def guarded(engine: Engine, users: Path):
    """A browser on a console with users, nobody signed in."""
    with served(users_file=users) as address, Visit(address).client as client:
        visit = Visit(address)
        visit.client = client
        yield visit


def sign_in(visit: Visit, name: str = "noor", password: str = PASSWORD, to: str = "/conversations"):
    fields = {"name": name, "password": password, "next": to}
    return visit.post("/sign-in", fields, token=visit.token("/sign-in"))


# Who may come in


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_off_loopback_it_does_not_start_without_authentication(host: str, users: Path):
    with pytest.raises(NotReady, match="needs authentication"):
        create_app(ConsoleSettings(host=host))
    create_app(ConsoleSettings(host=host, users_file=users))
    create_app(ConsoleSettings(host=host, proxy_header="X-User"))


def test_two_ways_to_tell_who_asks_are_refused(users: Path):
    with pytest.raises(NotReady, match="Choose one"):
        create_app(ConsoleSettings(users_file=users, proxy_header="X-User"))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# nobody",
        "noor:secret",
        "noor",
        ":scrypt$15$aa$aa",
        "noor:scrypt$1$aa$aa",
        "noor:scrypt$15$!$aa",
        "noor:$argon2id$v=19$m=65536,t=3,p=4$aa$aa",
        f"noor:$argon2id$v=19$m=65536,t=3,p=4${'a' * 22}${'!' * 43}",
        f"noor:$argon2id$v=19$m=9999999,t=3,p=4${'a' * 22}${'a' * 43}",
        f"noor:$argon2i$v=19$m=65536,t=3,p=4${'a' * 22}${'a' * 43}",
    ],
)
def test_a_users_file_that_is_not_in_order_is_refused(tmp_path: Path, content: str):
    file = tmp_path / "users"
    file.write_text(content)
    with pytest.raises(NotReady):
        read_users(file)
    with pytest.raises(NotReady, match="cannot be read"):
        read_users(tmp_path / "missing")


def test_a_password_is_kept_as_a_salted_hash():
    one, two = hash_password("correct horse"), hash_password("correct horse")
    assert one != two
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert "correct" not in one
    assert verify_password("correct horse", one)
    assert not verify_password("Correct horse", one)


SCRYPT = (
    "scrypt$15$r1lvsKkyjI3dPzfFbGTyeQ==$"
    "SznOtDw9KcgsEvC8x8HPPj5+oCLtFBOrecDdEWF24r7WLG2hmqv31bn3PvWEOuuganPH+m9aEDXOWoQtHYnIXg=="
)
"""Of PASSWORD, as versions before argon2 stored it."""


def test_a_line_of_an_older_users_file_still_lets_its_user_in(tmp_path: Path, lines: str):
    file = tmp_path / "users"
    file.write_text(f"kofi:{SCRYPT}\n{lines}")
    users = read_users(file)
    assert users.verify("kofi", PASSWORD)
    assert not users.verify("kofi", "Correct horse")
    assert users.verify("noor", PASSWORD)


def test_an_unknown_name_costs_the_check_of_a_users_password(
    users: Path, monkeypatch: pytest.MonkeyPatch
):
    checked = []
    monkeypatch.setattr(
        "console.security.users.verify_password",
        lambda password, stored: not checked.append((password, stored)),
    )
    known = read_users(users)
    assert not known.verify("nobody", PASSWORD)
    assert not known.verify("nobody", PASSWORD)
    ((password, stored),) = set(checked)
    assert (password, f":{stored}\n" in users.read_text()) == (PASSWORD, True)


def test_nothing_is_shown_to_who_has_not_signed_in(guarded: Visit, library: Library):
    carry_out(request("Secret talks", [library.add()], new=True))
    for path in ("/", "/conversations", "/add?new=1", "/add/contents", "/training-files",
                 "/training-files/Secret%20talks",
                 "/training-files/Secret%20talks/versions/1/json",
                 "/training-files/Secret%20talks/runs",
                 "/runs/5af502ee-46cd-42e4-ad1a-9631301828d4"):  # fmt: skip
        answer = guarded.get(path)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (
            303,
            "/sign-in",
        ), path
        assert "Secret" not in answer.text
    token = guarded.token("/sign-in")
    for path in ("/conversations", "/add", "/add/select"):
        assert guarded.post(path, {"do": "clear"}, token=token).status_code == 303
    assert (
        guarded.get("/conversations", headers={"HX-Request": "true"}).headers["HX-Redirect"]
        == "/sign-in"
    )


def test_who_signs_in_gets_what_was_asked_for_and_signs_out(guarded: Visit):
    wanted = guarded.get("/conversations?status=completed").headers["location"]
    page = Page(guarded.get(wanted).text)
    assert page.fields["next"] == ["/conversations?status=completed"]
    answer = sign_in(guarded, to=page.fields["next"][0])
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/conversations?status=completed",
    )
    assert "noor" in guarded.page("/conversations").text
    assert guarded.post("/sign-out", {}).status_code == 303
    assert guarded.get("/conversations").status_code == 303


def test_a_wrong_name_and_a_wrong_password_look_the_same(guarded: Visit):
    wrong, unknown = sign_in(guarded, password="guess"), sign_in(guarded, name="nobody")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert "The name or the password is wrong." in wrong.text
    assert "The name or the password is wrong." in unknown.text
    assert guarded.get("/conversations").status_code == 303


def test_guessing_is_slowed_down_for_one_name_only(guarded: Visit):
    for _ in range(MAX_ATTEMPTS):
        assert sign_in(guarded, password="guess").status_code == 401
    assert sign_in(guarded).status_code == 429
    assert sign_in(guarded, name="ines", password="another pass").status_code == 303


def test_after_a_while_a_name_may_try_again():
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    assert all(throttle.admit("noor", "here") for _ in range(MAX_ATTEMPTS))
    assert not throttle.admit("noor", "here")
    assert throttle.admit("noor", "there")
    now[0] = WINDOW_SECONDS + 1
    assert throttle.admit("noor", "here")


def test_many_other_names_do_not_open_a_blocked_one():
    throttle = Throttle()
    while throttle.admit("noor", "here"):
        pass
    for number in range(MAX_ENTRIES - 1):
        throttle.admit(str(number), "here")
    assert not throttle.admit("noor", "here")


def test_attempts_at_the_same_time_are_counted_before_they_are_checked(
    guarded: Visit, monkeypatch: pytest.MonkeyPatch
):
    checked = []
    verify = passwords.verify_password

    def slowly(password: str, stored: str) -> bool:
        checked.append(password)
        time.sleep(0.5)
        return verify(password, stored)

    monkeypatch.setattr("console.security.users.verify_password", slowly)
    token = guarded.token("/sign-in")
    fields = {"name": "noor", "password": "guess", "next": "/"}
    with ThreadPoolExecutor(20) as pool:
        answers = pool.map(lambda _: guarded.post("/sign-in", fields, token=token), range(20))
        statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == len(checked) == MAX_ATTEMPTS
    assert statuses.count(429) == 20 - MAX_ATTEMPTS


def test_signing_in_takes_the_failures_before_it_back(guarded: Visit):
    for _ in range(3):
        for _ in range(MAX_ATTEMPTS - 1):
            assert sign_in(guarded, password="guess").status_code == 401
        assert sign_in(guarded).status_code == 303


def test_behind_one_proxy_each_address_is_counted_for_itself(engine, users: Path):
    def attempt(forwarded: str) -> int:
        token = visit.token("/sign-in")
        content = urlencode({TOKEN_FIELD: token, "name": "noor", "password": "guess", "next": "/"})
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Forwarded-For": forwarded,
        }
        return visit.client.post("/sign-in", content=content, headers=headers).status_code

    with served(users_file=users, trusted_proxies=("127.0.0.0/8",)) as address:
        visit = Visit(address)
        # What a client writes there itself comes first, and does not count.
        assert [attempt(f"10.0.0.{n}, 192.0.2.1") for n in range(MAX_ATTEMPTS + 1)] == [
            *[401] * MAX_ATTEMPTS, 429,
        ]  # fmt: skip
        assert attempt("192.0.2.2") == 401
    with served(users_file=users) as address:
        visit = Visit(address)
        tried = [attempt(f"192.0.2.{n}") for n in range(MAX_ATTEMPTS + 1)]
        assert tried[-1] == 429, "the header counts only where proxies were named"


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(engine, users: Path):
    settings = {"users_file": users, "secret": "s" * 32}
    with served(**settings) as address:
        visit = Visit(address)
        sign_in(visit)
        kept = dict(visit.client.cookies)
        assert visit.get("/conversations").status_code == 200
        visit.post("/sign-out", {})
        visit.client.cookies.clear()
        visit.client.cookies.update(kept)
        assert visit.get("/conversations").status_code == 303
    with served(**settings) as address:
        restarted = Visit(address)
        restarted.client.cookies.update(kept)
        assert restarted.get("/conversations").status_code == 303


def test_the_list_of_ended_sessions_forgets_those_whose_cookies_are_too_old(tmp_path: Path):
    now = [0.0]
    file = PrivateJsonFile(tmp_path / "ended.json")
    ended = EndedSessions(file, lifetime_seconds=60, clock=lambda: now[0])
    ended.add("one")
    now[0] = 30
    ended.add("two")
    assert "one" in ended
    now[0] = 61
    ended.add("three")
    assert file.read().keys() == {"two", "three"}


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(guarded: Visit, to: str):
    assert sign_in(guarded, to=to).headers["location"] == "/"


def test_a_session_that_was_planted_is_not_the_one_after_signing_in(guarded: Visit):
    guarded.get("/sign-in")
    planted = dict(guarded.client.cookies)
    sign_in(guarded)
    assert dict(guarded.client.cookies) != planted
    guarded.client.cookies.clear()
    guarded.client.cookies.update(planted)
    assert guarded.get("/conversations").status_code == 303


def test_a_changed_password_or_a_removed_user_ends_the_session(engine, users: Path):
    settings = {"users_file": users, "secret": "s" * 32}
    with served(**settings) as address, Visit(address).client as client:
        visit = Visit(address)
        visit.client = client
        sign_in(visit)
        kept = dict(client.cookies)
        assert client.get("/conversations").status_code == 200
    for content in (
        f"noor:{hash_password('a new password')}\n",
        f"ines:{hash_password('another pass')}\n",
    ):
        users.write_text(content)
        with served(**settings) as address:
            client = Visit(address).client
            client.cookies.update(kept)
            assert client.get("/conversations").status_code == 303


def test_a_session_signed_by_another_console_is_worth_nothing(guarded: Visit, users: Path):
    sign_in(guarded)
    ((name, value), *_) = guarded.client.cookies.items()
    with served(users_file=users, secret="another") as address:
        other = Visit(address)
        other.get("/sign-in")
        (own_name, *_) = other.client.cookies.keys()
        assert own_name != name
        other.client.cookies.clear()
        other.client.cookies.set(own_name, value)
        assert other.get("/conversations").status_code == 303


def test_a_proxy_says_who_asks_and_only_a_trusted_one(engine):
    with served(proxy_header="X-Remote-User") as address:
        visit = Visit(address)
        assert visit.get("/conversations").status_code == 403
        answer = visit.get("/conversations", headers={"X-Remote-User": "Noor"})
        assert (answer.status_code, "Noor" in answer.text) == (200, True)
        twice = [("X-Remote-User", "Noor"), ("X-Remote-User", "Admin")]
        assert visit.get("/conversations", headers=twice).status_code == 403
    with served(proxy_header="X-Remote-User", trusted_proxies=("192.0.2.0/24",)) as address:
        answer = Visit(address).get("/conversations", headers={"X-Remote-User": "Noor"})
        assert answer.status_code == 403


# What a browser must not be talked into


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", ""],
)
def test_a_foreign_host_name_is_refused(console: Visit, host: str):
    answer = console.get("/conversations", headers={"Host": host})
    assert answer.status_code == 421
    assert "set-cookie" not in answer.headers


def test_own_host_names_are_answered(console: Visit, engine):
    for host in ("localhost", "localhost:8000", "127.0.0.1", "[::1]:80", "LOCALHOST"):
        assert console.get("/conversations", headers={"Host": host}).status_code == 200
    with served(allowed_hosts=("console.example",)) as address:
        visit = Visit(address).entered()
        answer = visit.get("/conversations", headers={"Host": "console.example"})
        assert answer.status_code == 200


FORMS = ("/conversations", "/add", "/add/select")


@pytest.mark.parametrize("path", ["/conversations", "/training-files", "/add", "/runs/1"])
def test_a_stranger_on_the_same_machine_sees_nothing(console: Visit, path: str):
    stranger = Visit(console.address)
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")
    closed = stranger.get(answer.headers["location"])
    assert (closed.status_code, "trainfold open" in closed.text) == (401, True)
    assert stranger.post(path, {}, token="x").status_code in {303, 403, 404, 405}


@pytest.mark.parametrize("key", ["", "x", "é", "0" * 64, "a" * 20_000, "%00"])
def test_a_wrong_key_lets_nobody_in(console: Visit, key: str):
    stranger = Visit(console.address)
    assert stranger.get(f"/enter?key={key}").status_code == 401
    assert stranger.get("/conversations").status_code == 303


def test_a_planted_session_does_not_come_in_with_its_victim(console: Visit):
    planted = Visit(console.address)
    planted.get("/sign-in")
    copy = dict(planted.client.cookies)
    planted.entered()
    attacker = Visit(console.address)
    attacker.client.cookies.update(copy)
    assert planted.get("/conversations").status_code == 200
    assert attacker.get("/conversations").status_code == 303


def test_a_link_to_a_console_with_users_signs_nobody_in(guarded: Visit):
    guarded.entered()
    assert guarded.get("/conversations").status_code == 303


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_this_sessions_token_changes_nothing(
    console: Visit, library: Library, path: str
):
    id = library.add()
    console.pick(id)
    other = Visit(console.address).entered()
    for token in ("", "x", other.token(), console.token()[:-1], "é"):
        answer = console.post(path, {"do": "clear", "blocked": str(id), "ids": ""}, token=token)
        assert answer.status_code == 403
    assert "1 / 80 selected" in console.page("/conversations").text


def test_signing_in_and_out_need_the_token_too(guarded: Visit):
    assert (
        guarded.post("/sign-in", {"name": "noor", "password": PASSWORD}, token="x").status_code
        == 403
    )
    sign_in(guarded)
    assert guarded.post("/sign-out", {}, token="x").status_code == 403
    assert guarded.get("/conversations").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1"])
def test_a_form_from_another_origin_is_refused(console: Visit, origin: str):
    answer = console.client.post(
        "/conversations",
        data={TOKEN_FIELD: console.token(), "do": "clear"},
        headers={"Origin": origin},
    )
    assert answer.status_code == 403


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(guarded: Visit, library: Library):
    id = library.add()
    headers = {"X-Forwarded-Proto": "https"}
    plain = guarded.get("/sign-in").headers.get_list("set-cookie")
    sign_in(guarded)
    picked = guarded.post("/conversations", {"do": "page:1", "shown": str(id), "picked": str(id)})
    guarded.client.cookies.clear()
    secure = guarded.get("/sign-in", headers=headers).headers.get_list("set-cookie")
    found = [*plain, *picked.headers.get_list("set-cookie"), *secure]
    assert len(found) == 3
    for cookie in found:
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; ")), cookie
    assert "Secure" not in plain[0]
    assert secure[0].endswith("; Secure")


def test_a_tampered_cookie_counts_as_none(console: Visit, library: Library):
    console.pick(library.add())
    (name,) = [name for name in console.client.cookies if "selection" in name]
    (session,) = [name for name in console.client.cookies if "session" in name]
    value, own = console.client.cookies[name], console.client.cookies[session]
    console.client.cookies.clear()
    changed = ("B" + value[1:], value[:-4] + value[-4:].swapcase(), value.split(".")[0], "", "é")
    for sent, count in (*((each, 0) for each in changed), (value, 1)):
        cookies = f"{session}={own}; {name}={sent}"
        answer = console.get("/conversations", headers={"Cookie": cookies.encode()})
        assert f"{count} / 80 selected" in Page(answer.text).text, sent


def test_a_malformed_cookie_of_another_application_costs_nobody_the_selection(
    console: Visit, library: Library
):
    console.pick(library.add())
    own = "; ".join(f"{name}={value}" for name, value in console.client.cookies.items())
    console.client.cookies.clear()
    for foreign in ("a[b]{c}=1", 'x="y', "plain", "=", "ü=1"):
        answer = console.get("/conversations", headers={"Cookie": f"{foreign}; {own}".encode()})
        assert "1 / 80 selected" in Page(answer.text).text, foreign
        assert "set-cookie" not in answer.headers, foreign


def test_eighty_selected_fit_into_a_cookie(console: Visit, library: Library):
    ids = library.add_many(80)
    console.pick(*ids)
    assert "80 / 80 selected" in console.page("/conversations").text
    assert sum(len(n) + len(v) for n, v in console.client.cookies.items()) < 3000


ANSWERS = (
    "/conversations",
    "/training-files",
    "/nowhere",
    "/static/console.css",
    "/static/nothing",
    "/conversations/..%2f..%2fapp.py",
    "/sign-in",
)


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_has_the_policy(console: Visit, path: str):
    headers = console.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "server" not in headers


def test_pages_are_not_kept_by_caches(console: Visit):
    assert console.get("/conversations").headers["Cache-Control"] == "no-store"


HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'--"


def test_hostile_text_is_shown_as_text_everywhere(console: Visit, library: Library):
    told = conversation(id := library.add())
    names = {"training_topic": {"name": HOSTILE}, "persona": {"name": HOSTILE}}
    columns = dict.fromkeys(("persona_key", "emotional_arc_key", "topic_key", "tier"), HOSTILE)
    for pair in told["training_pairs"]:
        pair["conversation_metadata"]["emotional_arc_key"] = HOSTILE
    other = library.add(data=as_bytes(told), **columns)
    library.store.put(
        f"tests/{other}.json", as_bytes(conversation(other)), content_type="application/json"
    )
    with library.engine.begin() as connection:
        connection.execute(
            text("UPDATE trainfold.conversations SET scaffolding_snapshot = CAST(:names AS jsonb)"),
            {"names": as_bytes(names).decode()},
        )
    library.batch(id, other, name=HOSTILE)
    name = HOSTILE.replace("/", "")
    carry_out(request(name, [id], new=True, description=HOSTILE, requested_by=HOSTILE))
    console.pick(id, other)
    link = next(
        link
        for link in console.page("/training-files").links
        if link.startswith("/training-files/")
    )
    pages = ["/conversations", "/training-files", link, f"{link}/runs",
             f"/conversations?text={HOSTILE}&persona={HOSTILE}",
             "/add?new=1&read=true", f"/add?to={HOSTILE}&read=true", f"/add/contents?to={HOSTILE}",
             f"/conversations?not_in={name}", f"/nowhere/{HOSTILE}", f"/training-files/{name}x",
             f"/sign-in?next={HOSTILE}"]  # fmt: skip
    seen = 0
    for path in pages:
        html = console.get(path).text
        seen += "&lt;script&gt;alert(1)" in html or "&lt;script&gt;alert" in html
        assert "<script>" not in html, path
        assert "<img" not in html, path
        assert "49" not in re.findall(r"&gt;(\d+)", html), path
    assert seen >= 6


INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", re.IGNORECASE)


def test_no_page_has_inline_script_or_style(console: Visit, library: Library):
    ids = library.add_many(2)
    carry_out(request("Plain", ids[:1], new=True))
    console.pick(*ids)
    for path in (
        "/conversations",
        "/training-files",
        "/training-files/Plain",
        "/add?new=1&read=true",
        "/add?to=Plain&read=true",
        "/nowhere",
    ):
        assert not INLINE.search(console.get(path).text), path


def test_large_and_endless_bodies_are_refused(console: Visit):
    token = console.token()
    answer = console.client.post("/conversations", content=b"x" * 300_000)
    assert answer.status_code == 413
    answer = console.client.post("/conversations", content=iter([b"x"]))
    assert answer.status_code == 411
    many = "&".join(f"picked={n}" for n in range(2000))
    answer = console.client.post(
        "/conversations",
        content=f"{TOKEN_FIELD}={token}&{many}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 400


def test_there_is_no_machine_readable_map_of_the_console(console: Visit):
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert console.get(path).status_code == 404


def test_a_form_without_a_session_is_answered_with_no_new_one(console: Visit):
    """Else another site's form, which comes without the cookie, would replace the visitor's."""
    stranger = Visit(console.address)
    with stranger.client:
        answer = stranger.post("/conversations", {"do": "clear"}, token="x")
        assert "Set-Cookie" not in answer.headers
        assert "Set-Cookie" in stranger.get("/conversations").headers
