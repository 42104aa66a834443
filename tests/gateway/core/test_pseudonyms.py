import re

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.pseudonyms import Pseudonyms

KEY = b"k" * 32


def test_a_visitor_has_the_same_pseudonym_in_every_process():
    assert Pseudonyms(KEY).of("ann") == Pseudonyms(KEY).of("ann") == "it7jC8fwM3PqYqeDIONvG9JY"


def test_another_key_gives_another_pseudonym():
    assert Pseudonyms(KEY).of("ann") != Pseudonyms(b"K" * 32).of("ann")


@settings(max_examples=100)
@given(st.lists(st.text(st.characters(), max_size=40), unique=True, max_size=20))
def test_different_visitors_have_different_pseudonyms_fit_for_a_url(visitors: list[str]):
    pseudonyms = Pseudonyms(KEY)
    found = [pseudonyms.of(visitor) for visitor in visitors]
    assert len(set(found)) == len(visitors)
    assert all(re.fullmatch(r"[\w-]{24}", one, re.ASCII) for one in found)


def test_half_a_surrogate_pair_is_an_id_too():
    assert Pseudonyms(KEY).of("\ud800") != Pseudonyms(KEY).of("\udfff")
