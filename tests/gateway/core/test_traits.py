from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.keys import sealer_of
from gateway.core.memory import Learning, Trait, blank
from gateway.core.sealing import PersonalTraits, is_sealed
from gateway.core.traits import opened, resealed, sealed

OLD, NEW = "o" * 32, "n" * 32
SEALER = sealer_of([OLD])
PERSONAL = PersonalTraits(["email", "firstName"])
json = st.recursive(
    st.none() | st.booleans() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from(["email", "first_name", "plan", "n"]), json))
def test_what_is_sealed_is_opened_as_it_was(traits):
    kept = sealed(traits, PERSONAL, SEALER)
    assert opened(kept, SEALER) == (traits, [])
    assert {name for name, value in kept.items() if is_sealed(value)} == traits.keys() & {
        "email",
        "first_name",
    }


def test_what_only_looks_sealed_is_read_as_it_was_sent():
    assert opened(sealed({"plan": "sealed:gold"}, PERSONAL, SEALER), SEALER) == ({"plan": "sealed:gold"}, [])


def test_what_no_key_opens_is_named():
    kept = sealed({"email": "ann@example.org", "plan": "gold"}, PERSONAL, SEALER)
    assert opened(kept, sealer_of([NEW])) == ({"plan": "gold"}, ["email"])


def test_a_memory_is_sealed_anew_under_the_newest_key_and_loses_nothing():
    kept = sealed({"email": "ann@example.org", "plan": "gold"}, PERSONAL, SEALER)
    memory = replace(blank(Learning()), traits={name: Trait(value, 1.0) for name, value in kept.items()})
    both = sealer_of([NEW, OLD])
    after = resealed(memory, both)
    assert after != memory
    assert resealed(after, both) is after
    values = {name: trait.value for name, trait in after.traits.items()}
    assert opened(values, sealer_of([NEW])) == ({"email": "ann@example.org", "plan": "gold"}, [])
    assert resealed(after, SEALER) == after  # what it cannot open stays as it is
