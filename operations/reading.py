"""Read the source files of eligible conversations: fetch, check and render them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from domain.errors import AccessRefused, Blocked, ObjectMissing, ObjectTooLarge, StoreRefused
from domain.findings import Reason
from domain.format.fragment import Fragment
from domain.source.limits import Limits
from domain.versions.eligibility import EligibleConversation
from domain.versions.validation import validate
from storage.store import ObjectStore

CODES: dict[type[Exception], str] = {
    ObjectMissing: "object-missing",
    ObjectTooLarge: "file-too-large",
    AccessRefused: "object-refused",
    StoreRefused: "object-refused",
}
MAX_THREADS = 8


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
    store: ObjectStore, eligible: EligibleConversation, *, limits: Limits, strict: bool
) -> Fragment:
    """Fetch, check and render one conversation; raises Blocked with every reason."""
    data = read_source(store, eligible, max_bytes=limits.file_bytes)
    return validate(data, eligible, limits=limits, strict=strict)


def read_fragments(
    store: ObjectStore,
    conversations: Sequence[EligibleConversation],
    *,
    limits: Limits,
    strict: bool,
    threads: int = MAX_THREADS,
) -> tuple[list[Fragment], list[Reason]]:
    """Read conversations concurrently; return the valid fragments in order, and all reasons."""

    def read(eligible: EligibleConversation) -> Fragment | Blocked:
        try:
            return read_fragment(store, eligible, limits=limits, strict=strict)
        except Blocked as blocked:
            return blocked

    with ThreadPoolExecutor(threads, thread_name_prefix="source") as pool:
        results = list(pool.map(read, conversations))
    fragments = [result for result in results if isinstance(result, Fragment)]
    refusals = [result for result in results if isinstance(result, Blocked)]
    return fragments, [reason for blocked in refusals for reason in blocked.reasons]
