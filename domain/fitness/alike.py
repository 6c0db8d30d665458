"""Find near-duplicates in a version, and what leaks from training into validation."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from domain.exports import Side
from domain.exports.likeness import Likeness, LikenessIndex
from domain.fitness.report import Alike, Leak


def near_duplicates(contents: Iterable[tuple[str, Likeness]]) -> Iterator[Alike]:
    """Yield each conversation that is like one before it, with the most alike of these."""
    index: LikenessIndex[str] = LikenessIndex()
    for id, likeness in contents:
        for other, score in islice(index.near(likeness), 1):
            yield Alike(first=other, second=id, score=round(score, 3))
        index.add(id, likeness)


def leaks(contents: Iterable[tuple[str, Likeness]], sides: Mapping[str, Side]) -> Iterator[Leak]:
    """Yield each conversation of the validation that one of the training is like."""
    train: LikenessIndex[str] = LikenessIndex()
    validation: list[tuple[str, Likeness]] = []
    for id, likeness in contents:
        if sides.get(id) == "train":
            train.add(id, likeness)
        elif id in sides:
            validation.append((id, likeness))
    for id, likeness in validation:
        near = next(train.near(likeness), None)
        same = next(train.same_answer(likeness), None)
        if near:
            yield Leak(validation=id, train=near[0], why="near-duplicate")
        elif same:
            yield Leak(validation=id, train=same, why="same answer")
