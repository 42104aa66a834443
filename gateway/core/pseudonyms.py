"""A visitor's id as it is kept: one that tells nothing, and is the same each time.

HMAC-SHA-256, cut to 144 bits: nobody without the key can tell whose it is, nor try ids until one fits, and among
10^15 visitors two of the same are less likely than a fault of the disk.
"""

import base64
import hmac
from collections.abc import Callable
from functools import lru_cache
from typing import NewType

Pseudonym = NewType("Pseudonym", str)
"""24 letters, digits, `-` and `_`. A type of its own, so that no raw id stands where one is meant."""

BYTES = 18
CACHED = 16_384  # some megabytes


class Pseudonyms:
    """Of one key. `of(visitor)` is remembered for those who were asked about lately."""

    of: Callable[[str], Pseudonym]

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")  # a copy costs a quarter of keying anew
        self.of = lru_cache(CACHED)(self._of)

    def _of(self, visitor: str) -> Pseudonym:
        # JSON can hold half of a surrogate pair; that too is an id.
        digest = self._keyed.copy()
        digest.update(visitor.encode("utf-8", "surrogatepass"))
        return Pseudonym(base64.urlsafe_b64encode(digest.digest()[:BYTES]).decode())
