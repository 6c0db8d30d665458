"""Compare conversations by their words: near-duplicates, and answers that are the same.

Two conversations are near-duplicates where their sets of three-word shingles, over all that client
and consultant say, have a Jaccard index of one half or more. Candidates come from bottom-k sketches
(Broder 1997): of the shingles' digests in order, each conversation is indexed by the first 96. Two
near-duplicates share fewer than 19 of them once in 10⁹ pairs; the index is then computed exactly.
Of 400 with the same turns of phrase, 60 pairs are compared; with 48 and six it was 5,312.
"""

import hashlib
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

NEAR = 0.5
SHINGLE_WORDS = 3
SHORT_ANSWER_WORDS = 8
"""Shorter answers are phrases that many conversations may share: “You are welcome. Take care!”"""
SKETCH_SIZE = 96
NEEDED_SHARE = 5
"""Of a sketch, a fifth is shared by whoever is compared."""
_SHINGLE_BYTES, _ANSWER_BYTES = 4, 8
_WORD = re.compile(r"\w+")

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Likeness:
    """What comparisons need of a conversation: digests, sorted and joined; about 6 kB."""

    shingles: bytes
    answers: bytes

    def shingle_set(self) -> set[int]:
        return set(_numbers(self.shingles, "I", _SHINGLE_BYTES))

    def answer_digests(self) -> Iterable[int]:
        return _numbers(self.answers, "Q", _ANSWER_BYTES)

    def sketch(self) -> tuple[int, ...]:
        return _numbers(self.shingles[: SKETCH_SIZE * _SHINGLE_BYTES], "I", _SHINGLE_BYTES)


def likeness_of(pairs: Iterable[Mapping[str, Any]]) -> Likeness:
    """Compute the likeness of a conversation's training pairs."""
    shingles: set[bytes] = set()
    answers: set[bytes] = set()
    for pair in pairs:
        shingles.update(_shingles(words_of(pair["current_user_input"])))
        words = words_of(pair["target_response"] or "")
        shingles.update(_shingles(words))
        if len(words) >= SHORT_ANSWER_WORDS:
            answers.add(_digest(words, _ANSWER_BYTES))
    return Likeness(b"".join(sorted(shingles)), b"".join(sorted(answers)))


def words_of(text: str) -> list[str]:
    """Return the words in lower case; punctuation and white space make no difference."""
    return _WORD.findall(text.casefold())


def jaccard(one: Likeness, other: Likeness) -> float:
    """Return the share of the shingles of either that both have."""
    mine, theirs = one.shingle_set(), other.shingle_set()
    return len(mine & theirs) / max(1, len(mine | theirs))


class LikenessIndex(Generic[K]):
    """Finds what is like a conversation among those before it; a key may have several contents.

    Of contents with the same words only the first is kept: it stands for its copies.
    """

    def __init__(self) -> None:
        self._contents: list[tuple[K, Likeness]] = []
        self._places: dict[bytes, int] = {}
        self._by_shingle: defaultdict[int, list[int]] = defaultdict(list)
        self._by_answer: dict[int, K] = {}

    def add(self, key: K, likeness: Likeness) -> None:
        for answer in likeness.answer_digests():
            self._by_answer.setdefault(answer, key)
        place = self._places.setdefault(likeness.shingles, len(self._contents))
        if place == len(self._contents):
            self._contents.append((key, likeness))
            for shingle in likeness.sketch():
                self._by_shingle[shingle].append(place)

    def near(
        self, likeness: Likeness, *, skip: Callable[[K], bool] = lambda _: False
    ) -> Iterator[tuple[K, float]]:
        """Yield near-duplicates with their Jaccard index, the most alike first as sketches tell.

        `skip` is asked before each comparison: it spares a family of thousands the comparison of
        each with each.
        """
        sketch = likeness.sketch()
        shared = Counter(place for shingle in sketch for place in self._by_shingle.get(shingle, ()))
        needed = max(1, len(sketch) // NEEDED_SHARE)
        candidates = [place for place, count in shared.items() if count >= needed]
        for place in sorted(candidates, key=lambda place: (-shared[place], place)):
            key, other = self._contents[place]
            if not skip(key) and (score := jaccard(likeness, other)) >= NEAR:
                yield key, score

    def same_answer(self, likeness: Likeness) -> Iterator[K]:
        """Yield, for each answer that was given before, who gave it first."""
        answers = likeness.answer_digests()
        yield from dict.fromkeys(self._by_answer[a] for a in answers if a in self._by_answer)


def _shingles(words: list[str]) -> Iterator[bytes]:
    for start in range(max(1, len(words) - SHINGLE_WORDS + 1) if words else 0):
        yield _digest(words[start : start + SHINGLE_WORDS], _SHINGLE_BYTES)


def _digest(words: list[str], size: int) -> bytes:
    # Half of a surrogate pair can be in JSON, and must not end the comparison.
    text = " ".join(words).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=size).digest()


def _numbers(data: bytes, code: str, size: int) -> tuple[int, ...]:
    return struct.unpack(f">{len(data) // size}{code}", data)
