import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.tcf import REFUSAL, said_by
from schemas.vocabulary import Purpose

A, P, E, M = Purpose
# As `@iabtcf/core` 1.5 encodes them: what was consented to, or is a legitimate interest.
STRINGS = {
    "CQq7FMAQq7FMAEsACAENAwFgAP_AAAAAAAYgAAAAAAAA.YAAAAAAAAAAA": {A, P, E, M},  # 1 to 10
    "CQq7FMAQq7FMAEsACAENAwFgAAAAAAAAAAYgAAAAAAAA.YAAAAAAAAAAA": set(),
    "CQq7FMAQq7FMAEsACAENAwFgAIwAAAAAAAYgAAAAAAAA.YAAAAAAAAAAA": {P},  # 1, 5, 6
    "CQq7FMAQq7FMAEsACAENAwFgAIGAAAAAAAYgAAAAAAAA.YAAAAAAAAAAA": {A},  # 1, 8, 9
    "CQq7FMAQq7FMAEsACAENAwFgALIAAAAAAAYgAAAAAAAA.YAAAAAAAAAAA": {M},  # 1, 3, 4, 7
    "CQq7FMAQq7FMAEsACAENAwFgAH_AAAAAAAYgAAAAAAAA.YAAAAAAAAAAA": set(),  # 2 to 10: nothing may be stored
    "CQq7FMAQq7FMAEsACAENAwFgAIAAAAPAAAYgAAAAAAAA.YAAAAAAAAAAA": set(),  # 1; of 7 to 10 interests
}


@pytest.mark.parametrize(("text", "granted"), STRINGS.items())
def test_a_purpose_is_granted_where_all_that_it_needs_is_consented_to(
    text: str, granted: set[Purpose]
) -> None:
    assert said_by(text) == {purpose: purpose in granted for purpose in Purpose}


@pytest.mark.parametrize(
    "text", ["", "nonsense", "é" * 50, "C" * 20_000, "!" * 40, "A" * 40, f"B{next(iter(STRINGS))[1:]}"]
)
def test_what_cannot_be_read_or_is_of_another_version_is_a_refusal(text: str) -> None:
    assert said_by(text) == REFUSAL


@given(st.text(max_size=80))
def test_any_text_says_yes_or_no_of_every_purpose(text: str) -> None:
    assert said_by(text).keys() == set(Purpose)
