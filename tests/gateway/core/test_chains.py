from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.chains import (
    Bucket,
    Entry,
    Head,
    entry_id,
    genuine,
    named_in,
    naming,
    read,
    seal,
    unnamed,
    written,
)
from gateway.core.keys import Keys
from schemas.vocabulary import AuditKind

KEYS = Keys.of(["a secret that is long enough to be one"], b"s")
NOON = 1_796_500_000_000
ENTRY = Entry(NOON, AuditKind.CONSENT, "main", "website", "pseudonym", {"granted": True})


def test_entries_are_found_as_they_were():
    second = Entry(NOON + 7, AuditKind.EXPORT, "shop", "eve", "", {"größe": [1, None, {"a": 0.5}]})
    bucket = seal(Head.start("p"), [ENTRY, second], KEYS.signing)
    assert bucket.entries() == [ENTRY, second]
    assert (bucket.id, bucket.first, bucket.count) == ("p-000000000001", 1, 2)
    assert (bucket.spaces, bucket.kinds, bucket.naming) == (("main", "shop"), ("consent", "export"), False)
    assert bucket.at == datetime.fromtimestamp(NOON / 1000, UTC) + timedelta(milliseconds=7)
    assert genuine(bucket, KEYS.public)


def test_an_entry_is_the_same_bytes_however_its_details_came_about():
    one, other = ENTRY._replace(details={"a": 1, "b": 2}), ENTRY._replace(details={"b": 2, "a": 1})
    assert one.to_bytes() == other.to_bytes()


def test_a_kind_that_only_a_later_version_knows_is_read():
    later = ENTRY._replace(kind="telepathy")
    assert seal(Head.start("p"), [later], KEYS.signing).entries() == [later]


def test_each_bucket_goes_on_where_the_last_one_ended():
    first = seal(Head.start("p"), [ENTRY, ENTRY], KEYS.signing)
    second = seal(first.head, [ENTRY], KEYS.signing)
    assert (second.number, second.first, second.before) == (2, 3, first.at)
    assert second.previous == first.head.hash != second.head.hash
    assert entry_id("p", second.head.last) == "p-3"


def test_two_chains_with_the_same_entries_have_nothing_in_common():
    one, other = (seal(Head.start(process), [ENTRY], KEYS.signing) for process in "pq")
    assert one.hashes != other.hashes


def test_an_entry_that_would_fill_a_bucket_is_kept_without_its_details():
    bucket = seal(Head.start("p"), [ENTRY._replace(details={"note": "x" * 5_000})], KEYS.signing)
    (kept,) = bucket.entries()
    assert kept._replace(details={}) == ENTRY._replace(details={})
    assert kept.details["omitted"].endswith(" bytes")


@pytest.mark.parametrize("details", [{"by": {1, 2}}, {AuditKind.CONSENT: 1}, {"name": "\ud800"}])
def test_an_entry_whose_details_are_no_json_is_kept_without_them(details: dict[str, object]):
    (kept,) = seal(Head.start("p"), [ENTRY._replace(details=details)], KEYS.signing).entries()
    assert kept._replace(details={}) == ENTRY._replace(details={})
    assert list(kept.details) == ["omitted"]


@pytest.mark.parametrize("body", [b"", b"no zlib", b"\x78\x01"])
def test_a_body_that_cannot_be_unpacked_is_refused(body: bytes):
    bucket = seal(Head.start("p"), [ENTRY], KEYS.signing)
    with pytest.raises(ValueError, match=r"\w"):
        Bucket(**{**{name: getattr(bucket, name) for name in Bucket.__slots__}, "body": body}).lines()


def test_a_line_that_is_kept_elsewhere_is_read_again():
    head = seal(Head.start("p"), [ENTRY], KEYS.signing).head
    named = read(written(head))
    assert (named.process, named.number, named.hash, named.at) == (
        head.process,
        head.number,
        head.hash,
        head.at,
    )


@settings(max_examples=100)
@given(st.text(max_size=60) | st.integers(0, 60).map(lambda cut: LINE[:cut]))
def test_a_line_that_is_cut_off_is_refused(line: str):
    if line != LINE:
        with pytest.raises(ValueError, match=r"\w"):
            read(line)


LINE = written(seal(Head.start("p"), [ENTRY], KEYS.signing).head)


def test_only_heads_that_nobody_vouches_for_are_left_to_be_named():
    first = seal(Head.start("p"), [ENTRY], KEYS.signing)
    second = seal(first.head, [ENTRY], KEYS.signing)
    other = seal(Head.start("q"), [naming(NOON, [first.head], timedelta(days=9))], KEYS.signing)
    assert [(named.process, named.number, named.by) for named in named_in(other)] == [("p", 1, "q")]
    assert unnamed([first.head, other.head], named_in(other)) == [other.head]
    assert unnamed([second.head, other.head], named_in(other)) == [second.head, other.head]
