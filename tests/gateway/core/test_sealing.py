import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.sealing import PERSONAL, PersonalTraits, Sealer, Unopened, is_sealed

OLD, NEW = b"o" * 32, b"n" * 32
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=100)
@given(JSON)
def test_what_is_sealed_opens_to_the_same_and_is_never_sealed_alike(value: object):
    sealer = Sealer([NEW])
    sealed, again = sealer.seal(value), sealer.seal(value)
    assert sealer.open(sealed) == sealer.open(again) == value
    assert sealed != again
    assert is_sealed(sealed)


def test_the_newest_key_seals_and_every_key_opens():
    before, after = Sealer([OLD]), Sealer([NEW, OLD])
    assert after.open(before.seal("ann@example.com")) == "ann@example.com"
    assert Sealer([NEW]).open(after.seal("ann@example.com")) == "ann@example.com"
    with pytest.raises(Unopened, match="BLOCKLOOM_KEYS"):
        before.open(after.seal("ann@example.com"))


def test_resealing_lets_the_old_key_go_and_leaves_what_is_new_alone():
    sealed = Sealer([OLD]).seal("ann@example.com")
    resealed = Sealer([NEW, OLD]).reseal(sealed)
    assert Sealer([NEW]).open(resealed) == "ann@example.com"
    assert Sealer([NEW, OLD]).reseal(resealed) == resealed
    with pytest.raises(Unopened):
        Sealer([NEW]).reseal(sealed)


@settings(max_examples=50)
@given(st.integers(0, 200), st.characters())
def test_whatever_was_changed_is_not_opened(place: int, letter: str):
    sealer = Sealer([NEW])
    sealed = sealer.seal("ann@example.com")
    place %= len(sealed)
    changed = sealed[:place] + letter + sealed[place + 1 :]
    if changed != sealed and not _same_bits(sealed, changed):
        with pytest.raises(Unopened):
            sealer.open(changed)


def _same_bits(one: str, other: str) -> bool:
    """The last letter before the padding holds bits that mean nothing."""
    return one.rstrip("=")[:-1] == other.rstrip("=")[:-1]


@pytest.mark.parametrize("value", ["", "gold", "sealed:", "sealed:gold", "sealed:ü"])
def test_what_was_never_sealed_is_not_opened(value: str):
    with pytest.raises(Unopened):
        Sealer([NEW]).open(value)


@pytest.mark.parametrize(
    "name", ["email", "Email", "e-mail", "first_name", "firstName", "FIRST NAME", "birthday"]
)
def test_a_personal_trait_is_known_however_it_is_written(name: str):
    assert name in PersonalTraits(PERSONAL)


@pytest.mark.parametrize("name", ["plan", "company", "emails_opened", "firstVisit", ""])
def test_other_traits_are_not_personal(name: str):
    assert name not in PersonalTraits(PERSONAL)


def test_a_deployment_names_its_own_personal_traits():
    own = PersonalTraits(["Membership_Number"])
    assert [name for name in ("membershipNumber", "email") if name in own] == ["membershipNumber"]
