from collections.abc import Mapping
from typing import Any

import pytest

from gateway.collect.consents import of_google, said
from gateway.core.consent import whole
from gateway.core.terms import Terms
from schemas.vocabulary import Purpose

A, P, M = Purpose.ANALYTICS, Purpose.PERSONALIZATION, Purpose.MARKETING


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        ({}, {}),
        ({"Analytics": True, "C0003": False, "Whatever": False}, {A: True, P: False}),
        ({"ad_storage": "granted", "ad_user_data": "denied", "analytics_storage": "odd"}, {M: False}),
        ({"analytics": 1, "marketing": None}, {}),
    ],
)
def test_categories_say_something_of_purposes(categories: Any, expected: Mapping[Purpose, bool]) -> None:
    assert said(categories) == expected


@pytest.mark.parametrize(
    ("gcs", "gcd", "expected"),
    [
        (None, None, {}),
        ("G111", None, {M: True, A: True}),
        ("G100", None, {M: False, A: False, P: False}),
        ("G1--", None, {}),
        ("nonsense", "nonsense" * 20, {}),
        (None, "13l3l3l3l1l1", {}),
        (None, "13p3t3p3v5l1", {M: False, A: True}),
        ("G111", "13t3q3t3t5l1", {M: True, A: False, P: False}),
    ],
)
def test_googles_signals_say_something_of_purposes(
    gcs: str, gcd: str, expected: Mapping[Purpose, bool]
) -> None:
    assert of_google(gcs, gcd) == expected


@pytest.mark.parametrize(
    ("consent", "refused"),
    [({}, False), ({M: False}, False), ({A: False}, True), ({A: False, P: True}, False), ({A: True}, False)],
)
def test_who_refuses_what_events_are_kept_for_refuses_them(
    consent: Mapping[Purpose, bool], refused: bool
) -> None:
    assert Terms(default=True).saying(whole(consent)).keep({}) is not refused
