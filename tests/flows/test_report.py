"""Text from files and people stays text in Prefect's markdown."""

import re
from uuid import uuid4

import pytest
from markdown_it import MarkdownIt

from soak.building import as_bytes, conversation
from tasks.markdown import code, inline
from tasks.report import version_markdown
from tests.asking import carry_out, request
from tests.conftest import Library

# The rules of GitHub's flavour by which a text without markup becomes a link.
BARE_LINK = re.compile(r"(?:ftp|https?)://|www\.|[\w.+-]@[\w-]", re.IGNORECASE)
MARKDOWN = MarkdownIt("commonmark").enable(["strikethrough", "table"])

HOSTILE = (
    "~~gone~~ and ~gone~",
    "see http://evil.example/x, HTTPS://evil.example or ftp://evil.example",
    "see WWW.evil.example",
    "mail me@evil.example",
    "one\r# two\r\n- three\n\n> four\u2028| five | six |",
    "<img src=x onerror=alert(1)> <https://evil.example>",
    "[click](javascript:alert(1)) ![x](y) `code` **bold** _it_ a\\|b",
    "` `` ``` x",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_in_a_line_has_no_markup_and_no_link(text: str):
    written = inline(text)
    assert not BARE_LINK.search(written)
    html = MARKDOWN.render(f"# A {written} z\n\n| a |\n| --- |\n| A {written} z |")
    assert set(re.findall("<(\\w+)", html)) == {"h1", "table", "thead", "tbody", "tr", "th", "td"}
    shown = re.search("<h1>(.*)</h1>", html)[1]
    assert shown == MARKDOWN.render("A x z")[3:-5].replace("x", escaped(text))


def escaped(text: str) -> str:
    line = re.sub(r"\s", " ", text)
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_in_code_does_not_end_it(text: str):
    html = MARKDOWN.render(f"Run {code(text)} now.")
    assert html.count("<code>") == html.count("<") - 3 == 1


def test_a_summary_counts_what_each_cause_of_warnings_reaches(library: Library):
    ids = [uuid4() for _ in range(2)]
    for id in ids:
        told = conversation(id)
        for pair in told["training_pairs"]:
            pair["conversation_metadata"]["conversation_phase"] = "a|b"
        library.add(id, data=as_bytes(told))
    written = version_markdown(carry_out(request("Warned", ids, new=True)))
    places = 2 * len(told["training_pairs"])
    assert "conversation\\_phase “a\\|b” is not in the v4 vocabulary | 2 | " in written
    assert f"| 2 | {places} |" in written
    assert all(f"| {id} |" in written for id in ids)
