import base64

import jwt
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.keys import Keys, SigningKey, key_set
from gateway.core.receipts import TYPE, erasure, issue, public_keys, verify
from gateway.errors import BadInput

OLD, NEW = "old secret, long enough to be one", "new secret, long enough to be one"
KEYS = Keys.of([NEW, OLD], b"s" * 32)
CLAIMS = erasure(
    "main", KEYS.pseudonyms("main").of("ann"), 1_796_500_000.9, {"profiles": 1, "events": 12}, "p-7"
)
RECEIPT = issue(KEYS.signing, CLAIMS)


def test_a_receipt_says_what_went_and_whose_it_was_without_a_name():
    assert verify(KEYS.public, RECEIPT) == {
        "iss": "blockloom",
        "iat": 1_796_500_000,
        "jti": "p-7",
        "sub": KEYS.pseudonyms("main").of("ann"),
        "space": "main",
        "erased": {"profiles": 1, "events": 12},
    }


def test_anybody_with_the_published_keys_verifies_it():
    published = public_keys(orjson.loads(orjson.dumps(key_set(KEYS.public))))
    assert verify(published, RECEIPT) == CLAIMS


def test_any_jwt_library_verifies_it():
    key = jwt.PyJWKSet.from_dict(key_set(KEYS.public))[KEYS.signing.id]
    assert jwt.decode(RECEIPT, key, ["EdDSA"], {"verify_iat": False}) == CLAIMS


def test_after_a_rotation_older_receipts_still_verify():
    older = issue(SigningKey.of(OLD), CLAIMS)
    assert verify(KEYS.public, older) == CLAIMS
    assert KEYS.signing.id != SigningKey.of(OLD).id
    assert [key["kid"] for key in key_set(KEYS.public)["keys"]] == [KEYS.signing.id, SigningKey.of(OLD).id]


def test_a_key_that_is_not_ours_proves_nothing():
    forged = issue(SigningKey.of("a stranger's secret, just as long"), CLAIMS)
    with pytest.raises(BadInput, match="not among those given"):
        verify(KEYS.public, forged)
    posing = SigningKey(KEYS.signing.id, SigningKey.of("a stranger's secret, just as long").private)
    with pytest.raises(BadInput, match="Signature verification failed"):
        verify(KEYS.public, issue(posing, CLAIMS))


@settings(max_examples=100)
@given(st.integers(0, len(RECEIPT) - 1), st.sampled_from("ABCxyz019-_.! é"))
def test_a_receipt_that_was_changed_anywhere_proves_nothing(place: int, letter: str):
    changed = RECEIPT[:place] + letter + RECEIPT[place + 1 :]
    if _raw(changed) != _raw(RECEIPT):
        with pytest.raises(BadInput):
            verify(KEYS.public, changed)


def _raw(receipt: str) -> list[bytes] | None:
    """The last letter of a part holds bits that mean nothing."""
    try:
        return [base64.urlsafe_b64decode(part + "==") for part in receipt.split(".")]
    except ValueError:
        return None


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d", "a.b.c", "..", "x" * 20_000, "a." * 5_001 + "a"])
def test_what_is_no_receipt_is_refused(text: str):
    with pytest.raises(BadInput):
        verify(KEYS.public, text)


def test_something_else_that_was_signed_is_no_receipt():
    other = jwt.encode(CLAIMS, KEYS.signing.private, "EdDSA", {"kid": KEYS.signing.id})
    with pytest.raises(BadInput, match="no receipt of an erasure"):
        verify(KEYS.public, other)


@pytest.mark.parametrize("missing", ["iss", "iat", "jti", "sub"])
def test_a_receipt_says_all_that_one_has_to_say(missing: str):
    less = {name: value for name, value in CLAIMS.items() if name != missing}
    with pytest.raises(BadInput, match="proves nothing"):
        verify(KEYS.public, issue(KEYS.signing, less))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_no_other_algorithm_is_believed(algorithm: str):
    secret = "" if algorithm == "none" else "a shared secret of some length, enough"
    forged = jwt.encode(CLAIMS, secret, algorithm, {"kid": KEYS.signing.id, "typ": TYPE})
    with pytest.raises(BadInput):
        verify(KEYS.public, forged)


@pytest.mark.parametrize("found", [[], {}, {"keys": []}, {"keys": 5}, {"keys": [{"kty": "RSA"}]}])
def test_what_is_no_key_set_is_refused(found: object):
    with pytest.raises(BadInput, match="no JSON Web Key Set"):
        public_keys(found)
