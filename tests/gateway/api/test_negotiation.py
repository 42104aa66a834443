import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.compression import takes_gzip
from gateway.api.exchange import JSON, RESPONSE, STREAM, Accepted, accepted
from gateway.api.negotiation import weights


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", {}),
        (" , ,", {}),
        ("a/b", {"a/b": 1.0}),
        ("A/B ; Q=0.5, c/d;level=1;q=0", {"a/b": 0.5, "c/d": 0.0}),
        ("a/b;q=0.25, a/b;q=0.75", {"a/b": 0.25}),
        ("a;q=nan, b;q=-1, c;q=2, d;q=, e;q=x, f;q=1e-1", {**dict.fromkeys("abcde", 0.0), "f": 0.1}),
    ],
)
def test_weights_are_as_they_are_written_and_nothing_where_they_are_none(
    header: str, found: dict[str, float]
) -> None:
    assert weights(header) == found


@pytest.mark.parametrize(
    ("header", "media", "streams"),
    [
        ("*/*", JSON, False),
        ("application/*", JSON, False),
        (JSON, JSON, False),
        (RESPONSE, RESPONSE, False),
        (STREAM, STREAM, True),
        (f"{RESPONSE}, {JSON}", RESPONSE, False),
        (f"{JSON}, {RESPONSE}", JSON, False),
        (f"{JSON};q=0.5, {RESPONSE};q=0.6", RESPONSE, False),
        (f"*/*, {RESPONSE}", RESPONSE, False),
        (f"{RESPONSE};q=0.1, */*", JSON, False),
        (f"{JSON};q=0, */*", RESPONSE, False),
        (f"{JSON};q=0, {RESPONSE};q=0.0", None, False),
        (f"{RESPONSE}, {JSON}, {STREAM}, multipart/mixed", RESPONSE, True),
        (f"{STREAM};q=0, {JSON}", JSON, False),
        (f"{STREAM};q=0.5, {JSON}", JSON, True),
        ("text/html", None, False),
        ("", None, False),
        ("text/html, " * 500 + JSON, JSON, False),
    ],
)
def test_the_media_type_that_is_liked_best_is_sent(header: str, media: str | None, streams: bool) -> None:
    assert accepted(header) == Accepted(media, streams)


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("br;q=1, gzip;q=0.1", True),
        ("*", True),
        ("*;q=0.1, gzip;q=0", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *;q=0", False),
        ("identity", False),
        ("identity;q=0.5, gzip", True),
        ("identity, gzip;q=0.5", False),
        ("br, zstd, deflate, compress, x-unheard-of", False),
        ("x-gzipped", False),
    ],
)
def test_gzip_is_for_those_who_like_it(header: str, taken: bool) -> None:
    assert takes_gzip(header) is taken


@given(st.text(alphabet="abq=;,*/ .01\xff\t", max_size=60))
def test_whatever_a_header_says_something_is_chosen_or_nothing(header: str) -> None:
    assert accepted(header).media in {JSON, RESPONSE, None}
    assert takes_gzip(header) in {True, False}
    assert all(0 <= weight <= 1 for weight in weights(header).values())
