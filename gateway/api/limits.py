"""How much there is of what."""

from collections.abc import Mapping

# How long the lists of the contract are taken to be when an operation's cost is counted, where no `first` says it.
SIZES: Mapping[str, int] = {
    "Page.slots": 12,
    "Slot.blocks": 5,  # a feed has more, most slots have one
    "ChosenBlock.tags": 10,
    "Reason.matched": 3,
    "Reason.because": 5,
    "Reason.candidates": 20,
    "Visitor.segments": 10,
    "Visitor.consent": 4,
    "Query.tokens": 50,
    "TokenInfo.scopes": 5,
    "TrackResult.rejected": 20,
    "TrackResult.visitors": 20,
}

MOST_PARTS = 40_000  # lists, objects, names and texts in a body: about 5 ms of decoding


def crowded(body: bytes) -> bool:
    """Whether decoding this JSON would hold up everybody: what costs is not its bytes, but how many values it has.

    Marks within texts count as well, so the limit is beyond what texts hold.
    """
    return len(body) > MOST_PARTS and sum(map(body.count, (b"[", b"{", b'":', b'",'))) > MOST_PARTS
