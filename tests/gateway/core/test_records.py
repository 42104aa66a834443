import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.records import Record, decision_id, read_decision_id, remembered
from schemas.vocabulary import Basis, Purpose
from tests.gateway.core.made import LEARNING, NOW, liking, visitor


def record(**fields) -> Record:
    said = {
        "at": NOW,
        "slug": "home",
        "revision": "1.0",
        "basis": Basis.PERSONAL,
        "context": {"time": {"epoch": NOW}},
        "locales": ["en"],
        "share": 0.5,
        "purposes": ["ANALYTICS"],
        "chosen": [["hero", 0, "hero", "default"]],
    }
    return Record(**{**said, **fields})


def test_a_record_survives_storage():
    profile = visitor(liking(travel=1.0))
    for kept in (record(), record(segments=[], where={"type": ["Card"]}, **remembered(profile))):
        assert Record.from_json(orjson.loads(orjson.dumps(kept.to_json()))) == kept


def test_a_record_gives_the_profile_back_as_it_was():
    profile = visitor(liking(travel=1.0), liking(city=0.5))
    again = record(**remembered(profile)).profile(LEARNING)
    assert again == profile
    assert again.usual == profile.usual
    assert record().profile(LEARNING) is None
    assert remembered(None) == {}


def test_a_record_says_what_was_granted_and_on_which_basis():
    assert record().granted() == (Purpose.ANALYTICS,)
    assert record().basis == Basis.PERSONAL
    assert record(basis=Basis.CONTEXTUAL).basis == Basis.CONTEXTUAL


@given(st.integers(0, 10**6), st.integers(0, 99), st.integers(0, 99))
def test_a_decision_id_reads_back(number, slot, position):
    assert read_decision_id(decision_id(f"abc-1f.{number}", slot, position)) == (
        "abc-1f",
        number,
        slot,
        position,
    )


@pytest.mark.parametrize(
    "text",
    ["", "a", "a.1.2", "a.1.2.3.4", "a.x.2.3", "a.1.-2.3", ".1.2.3", "a b.1.2.3", "$a.1.2.3", "a.1.2.٣",
     "a.1.2." + "3" * 80],
)  # fmt: skip
def test_what_is_no_decision_id_is_refused(text):
    assert read_decision_id(text) is None
