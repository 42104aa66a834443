from typing import Any

import pytest

from content_blocks.blocks import Variant
from content_blocks.conditions import ConditionError, FailedClause
from content_blocks.eligibility import Eligibility, acceptable_locales, normal_locale

NOON = 1_796_126_400.0  # 2026-12-01T12:00:00Z
HOUR = 3600.0
BRITISH = frozenset({"en-gb", "en"})
FACTS = {"device": {"type": "mobile"}, "visitor": {"id": "v1"}}


def eligibility(groups: Any = None, **fields: Any) -> Eligibility:
    return Eligibility.of(Variant.from_document({"key": "v", **fields}), groups or {})


def test_a_variant_without_limits_is_always_admitted() -> None:
    variant = eligibility()
    assert variant.admits({}, NOON, frozenset())
    assert variant.failed({}, NOON, frozenset()) is None


def test_a_schedule_opens_at_its_start_and_is_closed_at_its_end() -> None:
    variant = eligibility(starts="2026-12-01T12:00:00Z", ends="2026-12-01T14:00:00+01:00")
    times = (NOON - 1, NOON, NOON + HOUR - 1, NOON + HOUR)
    assert [variant.admits(FACTS, now, BRITISH) for now in times] == [False, True, True, False]
    assert variant.failed(FACTS, NOON - HOUR, BRITISH) == FailedClause(
        "schedule.starts", "$gte", "2026-12-01T12:00:00+00:00", "2026-12-01T11:00:00+00:00"
    )
    assert variant.failed(FACTS, NOON + HOUR, BRITISH) == FailedClause(
        "schedule.ends", "$lt", "2026-12-01T13:00:00+00:00", "2026-12-01T13:00:00+00:00"
    )


def test_a_variant_with_a_locale_waits_for_a_visitor_who_reads_it() -> None:
    assert eligibility(locale="en_GB").admits(FACTS, NOON, BRITISH)
    assert eligibility(locale="en").admits(FACTS, NOON, BRITISH)
    german = eligibility(locale="de-DE")
    assert not german.admits(FACTS, NOON, BRITISH)
    assert german.failed(FACTS, NOON, BRITISH) == FailedClause("locale", "$in", ["de-de"], ["en", "en-gb"])


def test_the_condition_decides_and_explains() -> None:
    variant = eligibility(when={"device.type": "tv"})
    assert not variant.admits(FACTS, NOON, BRITISH)
    assert variant.failed(FACTS, NOON, BRITISH) == FailedClause("device.type", "$eq", "tv", "mobile")
    assert eligibility(when={"device.type": "mobile"}).matched(FACTS) == ("device.type is mobile",)


def test_groups_reach_the_condition() -> None:
    variant = eligibility({"staff": ["v1"]}, when={"visitor.id": {"$inGroup": "staff"}})
    assert variant.admits(FACTS, NOON, BRITISH)


def test_a_condition_that_cannot_be_compiled_is_not_swallowed() -> None:
    with pytest.raises(ConditionError):
        eligibility(when={"device.type": {"$is": "tv"}})


@pytest.mark.parametrize(
    ("languages", "locales"),
    [
        (["en-GB"], {"en-gb", "en"}),
        (["pt_BR", "*"], {"pt-br", "pt"}),
        (["zh-Hant-TW", "fr"], {"zh-hant-tw", "zh-hant", "zh", "fr"}),
        (["de-x-private"], {"de-x-private", "de"}),
        (["iw"], {"he"}),
        (["not a tag!"], {"not a tag!"}),
        ([], set()),
    ],
)
def test_languages_fall_back_as_rfc_4647_looks_them_up(languages: list[str], locales: set[str]) -> None:
    assert acceptable_locales(languages) == locales


def test_locales_have_one_form() -> None:
    assert {normal_locale(tag) for tag in ("PT_br", "pt-BR", "pt-br")} == {"pt-br"}
