"""The audit log's format: entries in buckets, each process's buckets in a chain, the chains tied together.

An entry is canonical JSON, and its hash covers the one before it: SHA-256(hash before, entry). A bucket signs all
that it holds and where it stands, so whoever can write to the store but has no key can forge none. It also
says when the bucket before it was made: what retention has taken away is thereby told from what somebody has.

A chain's first entry, and one a day after that, names the heads of all the chains that nobody has named yet, as a
commit names its parents. So a whole chain, or its end, cannot be taken away without leaving a name that leads nowhere.
"""

import base64
import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from cryptography.exceptions import InvalidSignature

from gateway.core.keys import PublicKeys, SigningKey
from schemas.vocabulary import AuditKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HASH = 32  # bytes
ENTRIES = 500  # in a bucket, at most
SPAN = timedelta(minutes=1)  # between the first and the last of them, at most
ENTRY_BYTES = 4_096  # an entry with more of details is kept without them
BODY_BYTES = 8 << 20  # beyond this no bucket of ours unpacks


class Entry(NamedTuple):
    at: int  # milliseconds since 1970
    kind: str  # an AuditKind, or what a later version knows
    space: str  # "" where it is of none
    actor: str  # the name of a token, or what else did it
    subject: str  # a pseudonym, or ""
    details: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        return orjson.dumps(self._asdict(), option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Entry":
        return cls(**orjson.loads(raw))


class Head(NamedTuple):
    """Where a chain stands."""

    process: str
    number: int  # of its last bucket; 0: it has none
    last: int  # number of its last entry
    hash: bytes
    at: datetime | None  # when the last bucket was made

    @classmethod
    def start(cls, process: str) -> "Head":
        return cls(process, 0, 0, hashlib.sha256(f"blockloom audit {process}".encode()).digest(), None)


class Named(NamedTuple):
    """A head that somebody vouches for."""

    process: str
    number: int
    hash: bytes
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Bucket:
    process: str
    number: int  # in its chain, from 1
    first: int  # number of its first entry in the chain, from 1
    at: datetime  # when its last entry was made
    before: datetime | None  # `at` of the bucket before
    previous: bytes  # hash of the entry before the first
    hashes: bytes  # of each entry, one after the other
    body: bytes  # the entries, packed
    spaces: tuple[str, ...]
    kinds: tuple[str, ...]
    naming: bool  # whether it names heads
    key: str  # id of the key that signed it
    signature: bytes

    @property
    def id(self) -> str:
        return bucket_id(self.process, self.number)

    @property
    def count(self) -> int:
        return len(self.hashes) // HASH

    @property
    def head(self) -> Head:
        last = self.first + self.count - 1
        return Head(self.process, self.number, last, self.hashes[-HASH:], self.at)

    def message(self) -> bytes:
        """All that is signed: everything but the signature."""
        digests = [hashlib.sha256(part).hexdigest() for part in (self.previous, self.hashes, self.body)]
        before = None if self.before is None else millis(self.before)
        place = [self.process, self.number, self.first, millis(self.at), before]
        return orjson.dumps(
            ["blockloom audit 1", *place, *digests, self.spaces, self.kinds, self.naming, self.key]
        )

    def lines(self) -> list[bytes]:
        """The entries as they were hashed. Raises ValueError when it cannot be unpacked."""
        packer = zlib.decompressobj()
        try:
            text = packer.decompress(self.body, BODY_BYTES)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        if not packer.eof or packer.unused_data:
            raise ValueError("more or less than was packed")
        return text.split(b"\n")

    def entries(self) -> list[Entry]:
        """Of a genuine bucket; any other may hold anything."""
        return [Entry.from_bytes(line) for line in self.lines()]


def bucket_id(process: str, number: int) -> str:
    return f"{process}-{number:012d}"


def entry_id(process: str, number: int) -> str:
    return f"{process}-{number}"


def millis(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment_of(at: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at)


def hashed(previous: bytes, lines: Iterable[bytes]) -> list[bytes]:
    """The hash of each entry that follows the one with the hash `previous`."""
    found = []
    for line in lines:
        previous = hashlib.sha256(previous + line).digest()
        found.append(previous)
    return found


def seal(head: Head, entries: Sequence[Entry], key: SigningKey) -> Bucket:
    """The bucket of these entries, one at least, that follows `head`."""
    lines = [_line(entry) for entry in entries]
    bucket = Bucket(
        process=head.process,
        number=head.number + 1,
        first=head.last + 1,
        at=moment_of(entries[-1].at),
        before=head.at,
        previous=head.hash,
        hashes=b"".join(hashed(head.hash, lines)),
        body=zlib.compress(b"\n".join(lines), 1),
        spaces=tuple(sorted({entry.space for entry in entries})),
        kinds=tuple(sorted({str(entry.kind) for entry in entries})),
        naming=any(entry.kind == AuditKind.CHAIN for entry in entries),
        key=key.id,
        signature=b"",
    )
    return replace(bucket, signature=key.private.sign(bucket.message()))


def genuine(bucket: Bucket, keys: PublicKeys) -> bool:
    """Whether one of these keys signed it as it stands."""
    key = keys.get(bucket.key)
    try:
        if key is not None:
            key.verify(bucket.signature, bucket.message())
    except InvalidSignature:
        return False
    return key is not None


def _line(entry: Entry) -> bytes:
    """Details that are no JSON, or too much of it, must not keep the rest from being recorded."""
    try:
        line = entry.to_bytes()
    except TypeError as error:
        return entry._replace(details={"omitted": str(error)}).to_bytes()
    if len(line) <= ENTRY_BYTES or entry.kind == AuditKind.CHAIN:
        return line
    return entry._replace(details={"omitted": f"{len(line)} bytes"}).to_bytes()


# --- chains that name each other ---


def naming(at: int, heads: Iterable[Head], retention: timedelta) -> Entry:
    """The entry that vouches for these heads, and says for how long buckets are kept."""
    named = {head.process: [head.number, _text(head.hash), millis(head.at)] for head in heads if head.at}
    details = {"heads": named, "days": retention.days}
    return Entry(at, AuditKind.CHAIN, "", "", "", details)


def named_in(bucket: Bucket) -> list[Named]:
    """Of a genuine bucket."""
    return [
        Named(process, int(number), base64.b64decode(digest), moment_of(int(at)), bucket.process)
        for entry in bucket.entries()
        if entry.kind == AuditKind.CHAIN
        for process, (number, digest, at) in entry.details["heads"].items()
    ]


def announced(bucket: Bucket) -> list[timedelta]:
    """The retentions that a genuine bucket says to hold."""
    return [
        timedelta(days=entry.details["days"]) for entry in bucket.entries() if entry.kind == AuditKind.CHAIN
    ]


def unnamed(heads: Iterable[Head], named: Iterable[Named]) -> list[Head]:
    """Those that nobody vouches for as they stand."""
    vouched: dict[str, int] = {}
    for one in named:
        vouched[one.process] = max(one.number, vouched.get(one.process, 0))
    return [head for head in heads if head.number > vouched.get(head.process, 0)]


def written(head: Head) -> str:
    """A line to be kept elsewhere: process, number, hash, time."""
    at = "" if head.at is None else f" {head.at.isoformat(timespec='milliseconds')}"
    return f"{head.process} {head.number} {_text(head.hash)}{at}"


def read(line: str) -> Named:
    """What `written` gave. Raises ValueError."""
    process, number, digest, at = line.split()
    raw = base64.b64decode(digest, validate=True)
    if len(raw) != HASH or not datetime.fromisoformat(at).tzinfo:
        raise ValueError("the hash or the time is cut off")
    return Named(process, int(number), raw, datetime.fromisoformat(at), "what was expected")


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
