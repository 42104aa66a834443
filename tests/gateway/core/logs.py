"""Audit logs of several processes in miniature."""

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

from gateway.core.chains import (
    Bucket,
    Entry,
    Head,
    Named,
    moment_of,
    named_in,
    naming,
    read,
    seal,
    unnamed,
    written,
)
from gateway.core.keys import Keys
from gateway.core.proofs import Proof
from schemas.vocabulary import AuditKind

KEYS = Keys.of(["a secret that is long enough to be one"], b"s")
NOON = 1_796_500_000_000
DAY = 86_400_000
LATELY = int(time.time()) * 1000 - DAY // 24  # for logs in a real store, where retention holds
KEPT = timedelta(days=30)


def entry(at: int, number: int = 0) -> Entry:
    return Entry(at, AuditKind.CONSENT, "main", "website", "pseudonym", {"number": number})


def log(
    turns: Iterable[tuple[str, int]], keys: Keys = KEYS, step: int = 1_000, start: int = NOON
) -> list[Bucket]:
    """Each turn is one bucket of so many entries by that process, `step` milliseconds after the last."""
    heads: dict[str, Head] = {}
    buckets: list[Bucket] = []
    for number, (process, count) in enumerate(turns):
        at = start + number * step
        entries = [entry(at, number) for _ in range(count)]
        if process not in heads:
            named = [named for bucket in buckets for named in named_in(bucket)]
            entries.insert(0, naming(at, unnamed(heads.values(), named), KEPT))
        buckets.append(seal(heads.get(process, Head.start(process)), entries, keys.signing))
        heads[process] = buckets[-1].head
    return buckets


def proof_of(
    buckets: Sequence[Bucket], expected: Iterable[Named] = (), now: int = NOON, keys: Keys = KEYS
) -> Proof:
    proof = Proof(keys.public, KEPT, moment_of(now))
    ordered = sorted(buckets, key=lambda bucket: bucket.id)
    for bucket in ordered:
        if bucket.naming:
            proof.heed(bucket)
    for named in expected:
        proof.expect(named)
    for bucket in ordered:
        proof.add(bucket)
    proof.finish()
    return proof


def told(proof: Proof) -> list[str]:
    return [str(one) for one in proof.breaks]


def kept(proof: Proof) -> list[Named]:
    """As they would be kept elsewhere."""
    return [read(written(head)) for head in proof.heads()]
