"""Read the source files of eligible conversations: fetch, check and render them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from domain.errors import (
    AccessRefused,
    Blocked,
    ObjectMissing,
    ObjectTooLarge,
    StoreRefused,
    TrainfoldError,
)
from domain.findings import Reason
from domain.format.fragment import Fragment
from domain.source.limits import Limits
from domain.versions.eligibility import EligibleConversation
from domain.versions.strictness import Strictness
from domain.versions.validation import refuse_excess, refuse_excess_bytes, validate
from storage.store import ObjectState, ObjectStore

CODES: dict[type[Exception], str] = {
    ObjectMissing: "object-missing",
    ObjectTooLarge: "file-too-large",
    AccessRefused: "object-refused",
    StoreRefused: "object-refused",
}
MAX_THREADS = 8
WAVE = 16
"""Conversations that are read before it is known whether the request is too much: what they can
swell to is what memory must hold beyond the limits.
"""

T = TypeVar("T")


def waves(conversations: Sequence[T]) -> Iterator[Sequence[T]]:
    return (conversations[start : start + WAVE] for start in range(0, len(conversations), WAVE))


def measure_sources(
    store: ObjectStore,
    conversations: Sequence[EligibleConversation],
    *,
    limits: Limits,
    threads: int = MAX_THREADS,
) -> list[ObjectState | None]:
    """Ask what the conversations' files are now, before any is read.

    None where the store does not tell: reading the file says why. Raises Blocked where the files
    are more than one request may hold in memory, Unreachable where the store is away.
    """

    def look(eligible: EligibleConversation) -> ObjectState | None:
        try:
            return store.state(eligible.object_key)
        except tuple(CODES):
            return None

    with ThreadPoolExecutor(threads, thread_name_prefix="measure") as pool:
        looks = [pool.submit(look, eligible) for eligible in conversations]
        try:
            states = [each.result() for each in looks]
        except TrainfoldError:
            # A store that does not answer is not asked 80 times.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    refuse_excess_bytes((state.size_bytes for state in states if state), limits=limits)
    return states


def read_source(store: ObjectStore, eligible: EligibleConversation, *, max_bytes: int) -> bytes:
    """Fetch a conversation's file; raise Blocked if it is missing, too large or refused.

    Raises what `require` raises if the bucket is missing or refused, and not this object alone.
    """
    try:
        return store.get(eligible.object_key, max_bytes=max_bytes)
    except tuple(CODES) as error:
        store.require()
        reason = Reason(
            conversation_id=str(eligible.conversation_id),
            code=CODES[type(error)],
            reason=str(error),
        )
        raise Blocked([reason]) from error


def read_fragment(
    store: ObjectStore, eligible: EligibleConversation, *, limits: Limits, strictness: Strictness
) -> Fragment:
    """Fetch, check and render one conversation; raises Blocked with every reason."""
    data = read_source(store, eligible, max_bytes=limits.file_bytes)
    return validate(data, eligible, limits=limits, strictness=strictness)


def read_fragments(
    store: ObjectStore,
    conversations: Sequence[EligibleConversation],
    *,
    limits: Limits,
    strictness: Strictness,
    threads: int = MAX_THREADS,
) -> tuple[list[Fragment], list[Reason]]:
    """Read conversations concurrently; return the valid fragments in order, and all reasons.

    Stops early if the request as a whole exceeds a limit, which is then the last reason.
    """
    fragments: list[Fragment] = []
    reasons: list[Reason] = []

    def read(eligible: EligibleConversation) -> Fragment | Blocked:
        try:
            return read_fragment(store, eligible, limits=limits, strictness=strictness)
        except Blocked as blocked:
            return blocked

    try:
        measure_sources(store, conversations, limits=limits, threads=threads)
        with ThreadPoolExecutor(threads, thread_name_prefix="source") as pool:
            for wave in waves(conversations):
                results = list(pool.map(read, wave))
                fragments += [result for result in results if isinstance(result, Fragment)]
                for result in results:
                    reasons += result.reasons if isinstance(result, Blocked) else ()
                refuse_excess(fragments, limits=limits)
    except Blocked as excess:
        reasons += excess.reasons
    return fragments, reasons
