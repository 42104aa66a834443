import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.core.chains import Bucket, Head, naming, seal
from gateway.core.keys import Keys, SigningKey
from gateway.core.proofs import Fault
from tests.gateway.core.logs import DAY, KEPT, KEYS, NOON, entry, kept, log, proof_of, told

STRANGER = Keys.of(["a stranger's secret that is just as long"], b"s")

TURNS = st.lists(st.tuples(st.sampled_from("pqr"), st.integers(1, 3)), min_size=2, max_size=12)
PICK = st.integers(0, 10**6)


def faults(buckets: list[Bucket], **more: Any) -> set[Fault]:
    return {one.fault for one in proof_of(buckets, **more).breaks}


@settings(max_examples=100)
@given(TURNS)
def test_an_untouched_log_of_several_processes_is_proven(turns: list[tuple[str, int]]):
    buckets = log(turns)
    proof = proof_of(buckets)
    assert told(proof) == []
    assert (proof.buckets, proof.chains) == (len(turns), len({process for process, _ in turns}))
    assert proof.entries == sum(count for _, count in turns) + proof.chains
    assert told(proof_of(buckets, expected=kept(proof))) == []


@settings(max_examples=50)
@given(TURNS, PICK)
def test_what_was_kept_elsewhere_fits_the_log_as_it_grows(turns: list[tuple[str, int]], cut: int):
    buckets = log(turns)
    earlier = kept(proof_of(buckets[: cut % len(buckets)]))
    assert told(proof_of(buckets, expected=earlier)) == []


def flipped(raw: bytes, at: int) -> bytes:
    at %= len(raw)
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


CHANGES = {
    "body": lambda bucket, at: flipped(bucket.body, at),
    "hashes": lambda bucket, at: flipped(bucket.hashes, at),
    "previous": lambda bucket, at: flipped(bucket.previous, at),
    "signature": lambda bucket, at: flipped(bucket.signature, at),
    "first": lambda bucket, at: bucket.first + 1 + at,
    "at": lambda bucket, at: bucket.at - timedelta(milliseconds=at + 1),
    "before": lambda bucket, at: bucket.at - timedelta(days=at + 1),
    "spaces": lambda bucket, at: ("shop",),
    "kinds": lambda bucket, at: ("export",),
    "naming": lambda bucket, at: not bucket.naming,
    "key": lambda bucket, at: STRANGER.signing.id,
}


@pytest.mark.parametrize("field", CHANGES)
@settings(max_examples=8)
@given(TURNS, PICK, PICK)
def test_any_change_of_a_bucket_is_found(field: str, turns: list[tuple[str, int]], which: int, at: int):
    buckets = log(turns)
    which %= len(buckets)
    changed = replace(buckets[which], **{field: CHANGES[field](buckets[which], at % 5_000)})
    assert proof_of([*buckets[:which], changed, *buckets[which + 1 :]]).broken


@settings(max_examples=50)
@given(TURNS, PICK)
def test_any_bucket_that_is_taken_away_is_missed(turns: list[tuple[str, int]], which: int):
    buckets = log(turns)
    expected = kept(proof_of(buckets))
    gone = buckets[which % len(buckets)]
    left = [bucket for bucket in buckets if bucket is not gone]
    assert faults(left, expected=expected) <= {Fault.REMOVED, Fault.CUT, Fault.REORDERED}
    assert faults(left, expected=expected)


@settings(max_examples=50)
@given(TURNS, PICK)
def test_a_chain_that_another_one_named_is_missed_without_anything_kept_elsewhere(
    turns: list[tuple[str, int]], which: int
):
    """Whoever began later has named it."""
    buckets = log(turns)
    began = list(dict.fromkeys(process for process, _ in turns))
    assume(len(began) > 1)
    gone = began[which % (len(began) - 1)]
    assert Fault.CUT in faults([bucket for bucket in buckets if bucket.process != gone])


@settings(max_examples=50)
@given(TURNS, PICK, PICK)
def test_buckets_that_changed_places_are_found(turns: list[tuple[str, int]], one: int, other: int):
    buckets = log(turns)
    a, b = buckets[one % len(buckets)], buckets[other % len(buckets)]
    assume(a is not b)
    places = {a.id: b, b.id: a}
    moved = [
        replace(places[bucket.id], process=bucket.process, number=bucket.number)
        if bucket.id in places
        else bucket
        for bucket in buckets
    ]
    assert proof_of(moved).broken >= 2


@settings(max_examples=30)
@given(TURNS)
def test_two_chains_that_changed_names_are_found(turns: list[tuple[str, int]]):
    assume({"p", "q"} <= {process for process, _ in turns})
    names = {"p": "q", "q": "p", "r": "r"}
    assert proof_of([replace(bucket, process=names[bucket.process]) for bucket in log(turns)]).broken


@settings(max_examples=30)
@given(TURNS, PICK)
def test_what_is_put_in_is_found(turns: list[tuple[str, int]], which: int):
    buckets = log(turns)
    head = next(
        bucket.head for bucket in reversed(buckets) if bucket.process == buckets[which % len(buckets)].process
    )
    forged = seal(head, [entry(NOON)], STRANGER.signing)
    posing = seal(head, [entry(NOON)], SigningKey(KEYS.signing.id, STRANGER.signing.private))
    again = replace(buckets[which % len(buckets)], number=head.number + 1)
    of_nobody = seal(Head.start("z"), [naming(NOON, [], KEPT)], STRANGER.signing)
    assert faults([*buckets, forged]) == faults([*buckets, of_nobody]) == {Fault.UNKNOWN_KEY}
    assert faults([*buckets, posing]) == {Fault.CHANGED}
    assert Fault.CHANGED in faults([*buckets, again])


def test_what_is_broken_is_said_exactly():
    buckets = log([("p", 3), ("p", 2), ("p", 2), ("q", 1), ("p", 1)])
    first, second, third, other, fourth = buckets
    lines = second.lines()
    tampered = replace(second, body=_packed([lines[0], lines[1].replace(b'"number":1', b'"number":9')]))
    assert told(proof_of([first, tampered, third, other, fourth])) == [
        "p: bucket 2 (entries 5 to 6), at entry 6: changed after it was signed"
    ]
    assert told(proof_of([first, fourth, other])) == [
        "p: buckets 2 to 3 (entries 5 to 8): missing: taken away before its time"
    ]
    assert told(proof_of([first, other, fourth][:2])) == [
        "p: buckets 2 to 3: missing, though q names it: the chain or its end was taken away"
    ]
    assert told(proof_of(buckets[:4], expected=kept(proof_of(buckets)))) == [
        "p: bucket 4: missing, though what was expected names it: the chain or its end was taken away"
    ]


def _packed(lines: list[bytes]) -> bytes:
    return zlib.compress(b"\n".join(lines), 1)


def test_a_log_that_was_written_anew_does_not_fit_what_was_kept_elsewhere():
    """By somebody who has the key."""
    expected = kept(proof_of(log([("p", 3), ("p", 1)])))
    anew = log([("p", 3), ("p", 2)])
    assert told(proof_of(anew)) == []
    assert faults(anew, expected=expected) == {Fault.REPLACED}


# --- retention ---


def aged() -> list[Bucket]:
    """One bucket a day of `p`, and of `q`, which begins on the third."""
    return log([("p", 1), ("p", 1), ("q", 1), ("p", 1), ("q", 1), ("p", 1)], step=DAY)


def after(days: float) -> int:
    return NOON + int(days * DAY)


def test_a_beginning_that_has_expired_is_told_and_proven():
    whole = aged()
    proof = proof_of([bucket for bucket in whole if bucket not in whole[:2]], now=after(1 + 30.5))
    assert (told(proof), proof.expired) == ([], 1)


def test_a_beginning_that_was_taken_away_too_early_is_found():
    whole = aged()
    assert faults(whole[1:], now=after(1 + 25)) == {Fault.REMOVED}
    assert faults(whole[3:], now=after(1 + 30.5)) == {Fault.REMOVED}  # the beginning of q has not expired


def test_a_chain_that_has_expired_as_a_whole_is_not_missed():
    whole = log([("p", 1), ("q", 1), ("q", 1)], step=DAY)
    assert faults(whole[1:], now=after(30.5)) == set()
    assert faults(whole[1:], now=after(29)) == {Fault.CUT}


def test_a_shorter_retention_that_held_once_is_heeded():
    """It is in the chain of the process that had it."""
    head = Head.start("p")
    brief = seal(head, [naming(after(0), [], timedelta(days=3))], KEYS.signing)
    second = seal(brief.head, [entry(after(1))], KEYS.signing)
    third = seal(second.head, [entry(after(5)), naming(after(5), [], timedelta(days=3))], KEYS.signing)
    assert faults([third], now=after(6)) == set()
    assert faults([replace(third, naming=False)], now=after(6)) == {Fault.CHANGED, Fault.REMOVED}


def test_a_log_that_nobody_wrote_is_whole():
    proof = proof_of([])
    assert (told(proof), proof.entries, proof.heads()) == ([], 0, [])


def test_only_so_many_breaks_are_told_of_and_the_others_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.core.proofs.TOLD", 3)
    proof = proof_of([replace(bucket, signature=b"") for bucket in log([("p", 1)] * 7)])
    assert (len(proof.breaks), proof.broken) == (3, 7)
