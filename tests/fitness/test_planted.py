"""What is planted is found; what is like it and harmless is not."""

import json
import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exports.likeness import likeness_of
from domain.fitness.alike import leaks, near_duplicates
from domain.fitness.figures import ConversationFigures, figures_of
from domain.fitness.personal import personal_data
from operations.counting import counting
from soak.building import conversation, retell
from tests.domain.making import steady
from tests.domain.test_splits import pairs, text, with_words_changed

texts = st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4)
SENTENCES = [
    "I moved $12,000.00 from my 401(k) in 2019-2020, at 4.5 % over 30 years.",
    "Between 1/15/2024 and 12/31/2025 I paid 1,200 to 1,500 a month, about 180,000 in all.",
    "My order is 4539 1488 0343 6468, I think; order 1234-5678-9012-3456 was the one before.",
    "Write to me @ the office; we met at 10:30 - 11:45, room 204-118.",
    "SKU AB12 3456 7890 1234 5678, or version 10.15.7.20240101, or 3.14159265358979.",
]


def found(said: str) -> list[tuple[str, str]]:
    return [(kind, masked) for kind, masked in personal_data(said, counting().find_telephones)]


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        ("dana.levi+plans@example.co.uk", "e-mail"),
        ("ä.müller@bücher.example", "e-mail"),
        ("4111 1111 1111 1111", "card"),
        ("5500-0000-0000-0004", "card"),
        ("378282246310005", "card"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("GB82WEST12345698765432", "iban"),
        ("(212) 555-2368", "telephone"),
        ("212-736-5000", "telephone"),
        ("+44 20 7946 0958", "telephone"),
        ("+972 3-123-4567", "telephone"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "Call or write: {}.", "({})", "שלום {} תודה", "a\n{}\nb"])
def test_personal_data_is_found_and_masked(planted: str, kind: str, around: str):
    if kind == "telephone" and counting().telephones.startswith("no"):
        pytest.skip("phonenumbers is not installed")
    ((found_kind, masked),) = found(around.format(planted))
    assert found_kind == kind
    assert planted not in masked
    assert sum(c.isalnum() for c in masked.split("(")[0]) <= 8


def test_numbers_that_people_talk_of_are_no_personal_data():
    assert [kind for said in SENTENCES for kind, _ in found(said)] == []


@pytest.mark.parametrize(
    "hostile",
    ["a" * 200_000 + "@", "1" * 200_000, "1 " * 100_000, "AB12" * 50_000, "a@" * 100_000,
     "(" * 100_000, "1-" * 100_000, "\0@\0", "@a.b" * 50_000],
)  # fmt: skip
def test_no_text_takes_long(hostile: str):
    assert len(found(hostile)) <= 100_000


@given(texts)
@steady
def test_whatever_is_said_has_figures_that_can_be_stored(said: list[str]):
    value = conversation(UUID(int=1), turns=2 * len(said))
    for place, words in enumerate(said):
        asked, answered = value["training_pairs"][2 * place : 2 * place + 2]
        asked["current_user_input"] = answered["current_user_input"] = words + "?"
        answered["target_response"] = words + "."
        answered["training_metadata"]["difficulty_level"] = words
    retell(value["training_pairs"])
    metadata = {"conversation_metadata": {"conversation_id": "an id"}}
    figures = figures_of({**metadata, **value}, counting())
    stored = figures.model_dump(mode="json")
    assert ConversationFigures.model_validate(stored) == figures
    assert "\\u0000" not in json.dumps(stored)
    assert len(figures.turns) == 2 * len(said)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_all_copies_with_some_words_changed_are_found_and_nothing_else(share: float):
    originals = {f"o{n}": text(n, 300) for n in range(200)}
    copies = {f"c{n}": with_words_changed(text(n, 300), share, n) for n in range(0, 200, 4)}
    everything = [*originals.items(), *copies.items()]
    random.Random(1).shuffle(everything)
    contents = [(id, likeness_of(pairs((said, None)))) for id, said in everything]
    near = {frozenset((alike.first, alike.second)) for alike in near_duplicates(contents)}
    assert near == {frozenset((f"o{n}", f"c{n}")) for n in range(0, 200, 4)}


def test_a_leak_is_named_with_its_reason():
    answer = "Write down one number tonight, and show it to nobody."
    contents = {
        "a": likeness_of(pairs((text(1), text(2)))),
        "b": likeness_of(pairs((text(1), with_words_changed(text(2), 0.05)))),
        "c": likeness_of(pairs((text(3), answer))),
        "d": likeness_of(pairs((text(4), answer))),
        "e": likeness_of(pairs((text(5), text(6)))),
    }
    sides = {"a": "train", "b": "validation", "c": "train", "d": "validation", "e": "validation"}
    assert [leak.model_dump() for leak in leaks(contents.items(), sides)] == [
        {"validation": "b", "train": "a", "why": "near-duplicate"},
        {"validation": "d", "train": "c", "why": "same answer"},
    ]
