"""Documents that are asked for by their hash: Apollo's automatic persisted queries, and ids of trusted ones."""

from collections import OrderedDict
from hashlib import sha256

KEPT = 1_000
KEPT_BYTES = 8 << 20


class Automatic:
    """Documents that clients have sent with their hash, of one schema; those asked for least go first."""

    def __init__(self, kept: int = KEPT, kept_bytes: int = KEPT_BYTES) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._bytes = 0

    def find(self, digest: str) -> str | None:
        text = self._texts.get(digest)
        if text is not None:
            self._texts.move_to_end(digest)
        return text

    def keep(self, digest: str, text: str) -> None:
        if digest in self._texts:
            return
        self._texts[digest] = text
        self._bytes += _size(text)
        while len(self._texts) > self._kept or self._bytes > self._kept_bytes:
            self._bytes -= _size(self._texts.popitem(last=False)[1])


def is_hash(digest: str, text: str) -> bool:
    return sha256(text.encode()).hexdigest() == digest


def _size(text: str) -> int:
    """At most so many bytes in memory, whatever the letters."""
    return 4 * len(text)
