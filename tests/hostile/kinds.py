"""Kinds of bad conversation file, each with the reason that it must end in."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from soak.building import as_bytes, conversation

File = dict[str, Any]
Make = Callable[[UUID], bytes]


def changed(change: Callable[[File], object]) -> Make:
    """A valid file with one change made to its values."""

    def make(id: UUID) -> bytes:
        file = conversation(id)
        change(file)
        return as_bytes(file)

    return make


def patched(old: bytes, new: bytes) -> Make:
    """A valid file with one change made to its bytes."""

    def make(id: UUID) -> bytes:
        data = as_bytes(conversation(id))
        assert old in data
        return data.replace(old, new, 1)

    return make


def put(*path: str | int, value: Any) -> Make:
    """A valid file with one value replaced."""

    def change(file: Any) -> None:
        for step in path[:-1]:
            file = file[step]
        file[path[-1]] = value

    return changed(change)


def drop(*path: str | int) -> Make:
    def change(file: Any) -> None:
        for step in path[:-1]:
            file = file[step]
        del file[path[-1]]

    return changed(change)


def whole(data: bytes) -> Make:
    return lambda _: data


DATASET, PROFILE, PAIRS = "dataset_metadata", "consultant_profile", "training_pairs"
SECOND = (PAIRS, 1)
WORDS = (*SECOND, "conversation_metadata")
TRAINING = (*SECOND, "training_metadata")
EMOTIONS = (*SECOND, "emotional_context", "detected_emotions")
HISTORY = (*SECOND, "conversation_history")
SCORE = b'"quality_score": 3'

KINDS: dict[str, tuple[str, Make]] = {
    # What is no JSON document.
    "nothing": ("empty-file", whole(b"")),
    "blanks": ("empty-file", whole(b" \n\t \r\n")),
    "words": ("not-json", whole(b"Dear team, please find attached")),
    "half a document": ("not-json", lambda id: as_bytes(conversation(id))[:4000]),
    "two documents": ("not-json", lambda id: as_bytes(conversation(id)) * 2),
    "a trailing comma": ("not-json", patched(b'"notes": ""', b'"notes": "",')),
    "a comment": ("not-json", patched(b'"notes"', b'/* */ "notes"')),
    "single quotes": ("not-json", patched(b'"notes": ""', b"'notes': ''")),
    "a raw newline in a string": ("not-json", patched(b"patient", b"pat\nient")),
    "a raw NUL in a string": ("not-json", patched(b"patient", b"pat\x00ient")),
    "a NUL between": ("not-json", patched(b'"notes"', b'\x00"notes"')),
    "NaN": ("not-json", patched(SCORE, b'"quality_score": NaN')),
    "Infinity": ("not-json", patched(SCORE, b'"quality_score": Infinity')),
    "minus Infinity": ("not-json", patched(SCORE, b'"quality_score": -Infinity')),
    "a number beyond doubles": ("not-json", patched(SCORE, b'"quality_score": 1e999')),
    "a hexadecimal number": ("not-json", patched(SCORE, b'"quality_score": 0x3')),
    "a number with a leading zero": ("not-json", patched(SCORE, b'"quality_score": 03')),
    "a lone surrogate": ("not-json", patched(b"patient", b"pat\\ud800ient")),
    "a broken escape": ("not-json", patched(b"patient", b"pat\\xient")),
    "HTML instead": ("not-json", whole(b"<!doctype html><title>502 Bad Gateway</title>")),
    "a gzip file": ("not-utf-8", whole(b"\x1f\x8b\x08\x00" + b"\xff" * 40)),
    "Latin-1": ("not-utf-8", patched(b"patient", b"pati\xebnt")),
    "UTF-16": ("not-utf-8", lambda id: as_bytes(conversation(id)).decode().encode("utf-16")),
    "surrogates in UTF-8": ("not-utf-8", patched(b"patient", b"pat\xed\xa0\x80ient")),
    "an overlong encoding": ("not-utf-8", patched(b"patient", b"pat\xc0\xafient")),
    "a byte order mark": (
        "byte-order-mark",
        lambda id: b"\xef\xbb\xbf" + as_bytes(conversation(id)),
    ),
    # What JSON allows and we do not.
    "a key twice": ("repeated-key", patched(b'"notes": ""', b'"notes": "", "notes": "b"')),
    "a key twice in a pair": ("repeated-key", patched(SCORE, SCORE + b', "quality_score": 5')),
    "a key twice by escape": (
        "repeated-key",
        patched(b'"notes": ""', b'"notes": "", "n\\u006ftes": ""'),
    ),
    "a number too near to 0": (
        "number-too-small",
        patched(b'"primary_confidence": 0.8', b'"primary_confidence": 1e-400'),
    ),
    "an integer beyond 64 bits": ("number-too-large", patched(SCORE, SCORE + b"0" * 30)),
    "a negative beyond 64 bits": (
        "number-too-large",
        patched(SCORE, b'"quality_score": -' + b"9" * 20),
    ),
    "deep arrays": ("too-deep", patched(b'"notes": ""', b'"notes": ' + b"[" * 70 + b"]" * 70)),
    "deep objects": (
        "too-deep",
        patched(b'"notes": ""', b'"notes": ' + b'{"a":' * 70 + b"1" + b"}" * 70),
    ),
    "bottomless arrays": ("not-json", whole(b"[" * 100_000)),
    "17 MiB of blanks": ("file-too-large", whole(b" " * (17 * 1024 * 1024))),
    # The wrong shape, level by level.
    "null": ("wrong-type", whole(b"null")),
    "a number": ("wrong-type", whole(b"42")),
    "a string": ("wrong-type", whole(b'"conversation"')),
    "an array": ("wrong-type", lambda id: b"[" + as_bytes(conversation(id)) + b"]"),
    "an empty object": ("missing-key", whole(b"{}")),
    "a full training file": (
        "missing-key",
        whole(b'{"training_file_metadata": {}, "conversations": []}'),
    ),
    "an unknown key at the top": ("unknown-key", put("extra", value=1)),
    "no pairs": ("too-short", put(PAIRS, value=[])),
    "pairs that are an object": ("wrong-type", put(PAIRS, value={})),
    "a pair that is null": ("wrong-type", put(PAIRS, 0, value=None)),
    "a pair that is an array": ("wrong-type", put(PAIRS, 0, value=[])),
    "no profile": ("missing-key", drop(PROFILE)),
    "a profile without business": ("missing-key", drop(PROFILE, "business")),
    "four principles": ("missing-key", drop(PROFILE, "core_philosophy", "principle_5")),
    "an empty consultant": ("too-short", put(PROFILE, "name", value="")),
    "techniques that are text": (
        "wrong-type",
        put(PROFILE, "communication_style", "techniques", value="ask"),
    ),
    "no techniques": ("too-short", put(PROFILE, "communication_style", "techniques", value=[])),
    "a negative experience": ("out-of-range", put(PROFILE, "years_experience", value=-1)),
    "half a year's experience": ("wrong-type", put(PROFILE, "years_experience", value=1.5)),
    "no metadata of pairs": ("missing-key", drop(*WORDS)),
    "no persona": ("missing-key", drop(*WORDS, "persona_archetype")),
    "an empty persona": ("too-short", put(*WORDS, "persona_archetype", value="")),
    "a persona with a NUL": ("wrong-format", put(*WORDS, "persona_archetype", value="a\x00b")),
    "an endless topic": ("too-long", put(*WORDS, "training_topic_key", value="x" * 201)),
    "a short prompt": ("too-short", put(*SECOND, "system_prompt", value="Be kind.")),
    "an empty question": ("wrong-format", put(*SECOND, "current_user_input", value="")),
    "a question of blanks": ("wrong-format", put(*SECOND, "current_user_input", value=" \n")),
    "a target of blanks": ("wrong-format", put(*SECOND, "target_response", value=" \t ")),
    "a target that is a number": ("wrong-type", put(*SECOND, "target_response", value=3)),
    "no target": ("missing-key", drop(*SECOND, "target_response")),
    "an empty pair id": ("too-short", put(*SECOND, "id", value="")),
    "history that is null": ("wrong-type", put(*HISTORY, value=None)),
    "a history turn 0": ("out-of-range", put(*HISTORY, 0, "turn", value=0)),
    "a system turn in the history": ("wrong-value", put(*HISTORY, 0, "role", value="system")),
    "no emotional state": ("missing-key", drop(*HISTORY, 0, "emotional_state")),
    "an intensity over 1": ("out-of-range", put(*EMOTIONS, "intensity", value=1.01)),
    "a confidence that is text": ("wrong-type", put(*EMOTIONS, "primary_confidence", value="0.8")),
    "a confidence that is true": ("wrong-type", put(*EMOTIONS, "primary_confidence", value=True)),
    "no valence": ("missing-key", drop(*EMOTIONS, "valence")),
    "a score of 0": ("out-of-range", put(*TRAINING, "quality_score", value=0)),
    "a score over 5": ("out-of-range", put(*TRAINING, "quality_score", value=5.000001)),
    "a score that is null": ("wrong-type", put(*TRAINING, "quality_score", value=None)),
    "an empathy of 6": (
        "out-of-range",
        put(*TRAINING, "quality_criteria", "empathy_score", value=6),
    ),
    "reviewed that is 1": ("wrong-type", put(*TRAINING, "human_reviewed", value=1)),
    "skills that hold a number": ("wrong-type", put(*TRAINING, "demonstrates_skills", value=[1])),
    "minus one variations": ("out-of-range", put(*TRAINING, "generate_variations_count", value=-1)),
    # What contradicts itself.
    "another's file": ("other-conversation", lambda _: as_bytes(conversation(uuid4()))),
    "no conversation's file": (
        "wrong-format",
        put(DATASET, "dataset_name", value="conversation_1"),
    ),
    "an id in capitals": (
        "wrong-format",
        lambda id: as_bytes(conversation(id)).replace(str(id).encode(), str(id).upper().encode()),
    ),
    "another vertical": ("wrong-value", put(DATASET, "vertical", value="gardening")),
    "two conversations": ("out-of-range", put(DATASET, "total_conversations", value=2)),
    "no such day": ("wrong-format", put(DATASET, "created_date", value="2026-02-30")),
    "a date with a time": (
        "wrong-format",
        put(DATASET, "created_date", value="2026-02-03T10:00:00Z"),
    ),
    "too many turns promised": ("wrong-count", put(DATASET, "total_turns", value=5)),
    "a turn left out": ("wrong-turn", changed(lambda file: file[PAIRS].pop(1))),
    "turns in reverse": ("wrong-turn", changed(lambda file: file[PAIRS].reverse())),
    "a turn twice": ("wrong-turn", put(*SECOND, "turn_number", value=1)),
    "two turn numbers": ("wrong-turn", put(*TRAINING, "conversation_turn", value=3)),
    "a pair id twice": ("repeated-pair-id", put(*SECOND, "id", value="budgeting_turn1")),
    "1,001 pairs": ("too-many-pairs", lambda id: as_bytes(many_pairs(id, 1001))),
    "history of a later turn": ("wrong-history", put(*HISTORY, 0, "turn", value=2)),
    "history out of order": (
        "wrong-history",
        changed(lambda file: file[PAIRS][3]["conversation_history"].reverse()),
    ),
    "history that says otherwise": (
        "wrong-history",
        put(PAIRS, 2, "conversation_history", 1, "content", value="I never said that."),
    ),
}


def many_pairs(id: UUID, count: int) -> File:
    """A conversation of so many turns, without history, to keep it small."""
    file = conversation(id, turns=1)
    first = file[PAIRS][0]
    file[PAIRS] = [
        first
        | {
            "id": f"turn{turn}",
            "turn_number": turn,
            "training_metadata": first["training_metadata"] | {"conversation_turn": turn},
        }
        for turn in range(1, count + 1)
    ]
    file[DATASET]["total_turns"] = count
    return file
