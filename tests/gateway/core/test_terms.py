from typing import Any

import pytest

from gateway.core.consent import Answer, Said, answered, whole
from gateway.core.sayings import said_of
from gateway.core.terms import Defaults, Terms
from schemas.vocabulary import Purpose

A, P, E, M = Purpose
CONTENT = "CQq7FMAQq7FMAEsACAENAwFgAIwAAAAAAAYgAAAAAAAA.YAAAAAAAAAAA"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, {}),
        ("denied", {}),
        ({"colour": "granted", "ad_storage": 7}, {}),
        ({"tcf": CONTENT}, {A: False, P: True, E: False, M: False}),
        ({"tcf": 5}, dict.fromkeys(Purpose, False)),
        ({"ad_storage": "granted", "ad_user_data": "denied"}, {M: False}),
        ({"personalization_storage": "granted"}, {P: True}),
        ({"analytics_storage": "denied"}, {A: False, P: False}),
        ({"gcs": "G101"}, {A: True, M: False}),
        ({"gcs": "G101", "gcd": "13p3p3p3p5"}, {A: False, P: False, M: False}),
        ({"tcf": CONTENT, "personalization_storage": "denied"}, dict.fromkeys(Purpose, False)),
    ],
)
def test_of_all_that_a_request_says_no_stands(given: Any, said: Said) -> None:
    assert said_of(given) == said


def test_a_requests_own_word_stands_above_an_earlier_one_and_below_a_later_one() -> None:
    terms = Terms(said={P: True})
    refused = answered([P], False, 5.0)
    assert [terms.allow(refused, P, at) for at in (4.0, 5.0, 6.0)] == [False, False, True]
    assert terms.allow(refused, P)
    assert terms.answers(6.0) == {P: Answer(True, 6.0)}


def test_what_a_request_says_stands_above_the_browser_and_the_default() -> None:
    assert Terms(default=False, gpc=True, said={P: True}).granted({}) == (P,)
    assert Terms(default=True, said={P: False}).granted({}) == (A, E, M)
    assert Terms(default=True, gpc=True).granted({}) == ()


@pytest.mark.parametrize(
    ("said", "kept"),
    [({}, True), ({A: False}, False), ({P: False}, False), ({A: False, P: True}, True), ({M: False}, True)],
)
def test_who_refuses_one_purpose_of_keeping_and_names_no_other_refuses_all(said: Said, kept: bool) -> None:
    assert Terms(default=True, said=whole(said)).keep({}) is kept


def test_the_default_depends_on_the_country_where_that_is_set() -> None:
    defaults = Defaults("opt-in", {"US": "opt-out"})
    assert [defaults.of(country) for country in ("US", "DE", None)] == [True, False, False]
    assert (defaults.by_country, Defaults("opt-out", {}).by_country) == (True, False)
    assert Defaults("opt-out", {}).of(None)
