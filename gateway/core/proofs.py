"""Is the audit log whole? Buckets go in, what is broken comes out, and where.

First `heed` every bucket that names heads, then `add` every bucket, each chain in its order, then `finish`.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain

from gateway.core.chains import HASH, Bucket, Head, Named, announced, genuine, hashed, named_in, unnamed
from gateway.core.keys import PublicKeys
from schemas.vocabulary import AuditKind

SLACK = timedelta(hours=1)  # that the store's clock may be ahead of ours when it removes what has expired
TOLD = 1_000  # breaks that are told of; more are counted


class Fault(StrEnum):
    STRANGE = "is no bucket of this log: it was put there, or changed beyond reading"
    UNKNOWN_KEY = "signed with the key {}, which is not among ours; put it back if BLOCKLOOM_KEYS had it"
    CHANGED = "changed after it was signed"
    REORDERED = "does not follow what stands before it: entries were exchanged"
    REMOVED = "missing: taken away before its time"
    REPLACED = "another bucket stands in the place of the one that {} names"
    CUT = "missing, though {} names it: the chain or its end was taken away"


@dataclass(frozen=True, slots=True)
class Break:
    where: str
    fault: Fault
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Proof:
    def __init__(self, keys: PublicKeys, retention: timedelta, now: datetime) -> None:
        """`retention` is what holds now; what the log says of earlier ones is heeded too."""
        self._keys = keys
        self._retention = retention
        self._now = now
        self._named: dict[tuple[str, int], list[Named]] = defaultdict(list)
        self._heads: dict[str, Head] = {}
        self.breaks: list[Break] = []
        self.broken = 0
        self.entries = 0
        self.buckets = 0
        self.lost = 0  # entries that could not be kept, as the log itself says
        self.expired = 0  # chains whose beginning has expired

    @property
    def chains(self) -> int:
        return len(self._heads)

    def heads(self) -> list[Head]:
        """Of the chains that no other vouches for: all that needs to be kept elsewhere."""
        return unnamed(self._heads.values(), chain.from_iterable(self._named.values()))

    def heed(self, bucket: Bucket) -> None:
        if genuine(bucket, self._keys):
            self._retention = min(self._retention, *announced(bucket))
            for named in named_in(bucket):
                self.expect(named)

    def expect(self, named: Named) -> None:
        self._named[named.process, named.number].append(named)

    def stray(self, name: str) -> None:
        """Something stands in the log that is no bucket."""
        self._break(name, Fault.STRANGE)

    def add(self, bucket: Bucket) -> None:
        self.buckets += 1
        self.entries += bucket.count
        if bucket.key not in self._keys:
            self._break(_place(bucket), Fault.UNKNOWN_KEY, bucket.key)
        elif not genuine(bucket, self._keys):
            self._break(_changed(bucket), Fault.CHANGED)
        elif AuditKind.LOST in bucket.kinds:
            self.lost += _lost(bucket)
        self._follow(bucket)
        self._compare(bucket)
        self._heads[bucket.process] = bucket.head

    def finish(self) -> None:
        """Look for what was named and never seen."""
        cut: dict[str, Named] = {}
        for (process, number), (named, *_) in sorted(self._named.items()):
            if number > self._last(process) and not self._expired(named.at):
                cut[process] = named
        for process, named in cut.items():
            self._break(_buckets(process, self._last(process) + 1, named.number), Fault.CUT, named.by)

    def _follow(self, bucket: Bucket) -> None:
        head = self._heads.get(bucket.process, Head.start(bucket.process))
        if bucket.number > head.number + 1:
            self._miss(head, bucket)
        elif (bucket.previous, bucket.before, bucket.first) != (head.hash, head.at, head.last + 1):
            self._break(bucket.id, Fault.REORDERED)

    def _miss(self, head: Head, bucket: Bucket) -> None:
        """Everything before this bucket is at least as old as the one right before it."""
        if bucket.before is not None and self._expired(bucket.before):
            self.expired += head.number == 0
        else:
            where = _buckets(bucket.process, head.number + 1, bucket.number - 1)
            self._break(f"{where} (entries {head.last + 1} to {bucket.first - 1})", Fault.REMOVED)

    def _compare(self, bucket: Bucket) -> None:
        for named in self._named.get((bucket.process, bucket.number), ()):
            if (named.hash, named.at) != (bucket.head.hash, bucket.at):
                self._break(bucket.id, Fault.REPLACED, named.by)

    def _last(self, process: str) -> int:
        return self._heads.get(process, Head.start(process)).number

    def _expired(self, at: datetime) -> bool:
        return at + self._retention <= self._now + SLACK

    def _break(self, where: str, fault: Fault, more: str = "") -> None:
        self.broken += 1
        if len(self.breaks) < TOLD:
            self.breaks.append(Break(where, fault, fault.format(more)))


def _buckets(process: str, first: int, last: int) -> str:
    return f"{process}: bucket {first}" if first == last else f"{process}: buckets {first} to {last}"


def _place(bucket: Bucket) -> str:
    where = _buckets(bucket.process, bucket.number, bucket.number)
    return f"{where} (entries {bucket.first} to {bucket.head.last})"


def _changed(bucket: Bucket) -> str:
    """Where it stands, and the first entry that is not what was hashed, if it is the entries that differ."""
    try:
        lines = bucket.lines()
    except ValueError:
        return _place(bucket)
    hashes = [bucket.hashes[at : at + HASH] for at in range(0, len(bucket.hashes), HASH)]
    for number, (line, before, after) in enumerate(
        zip(lines, [bucket.previous, *hashes], hashes, strict=False), bucket.first
    ):
        if hashed(before, [line]) != [after]:
            return f"{_place(bucket)}, at entry {number}"
    return _place(bucket)


def _lost(bucket: Bucket) -> int:
    return sum(sum(entry.details.values()) for entry in bucket.entries() if entry.kind == AuditKind.LOST)
