"""Receipts of an erasure: signed, and verified by anybody who has the public key.

A receipt is a compact JWS (RFC 7515) by Ed25519 over a JWT's claims.
"""

import re
from collections.abc import Mapping
from typing import Any

import jwt
from jwt.types import Options

from gateway.core.keys import PublicKeys, SigningKey
from gateway.core.pseudonyms import Pseudonym
from gateway.errors import BadInput

ALGORITHM, TYPE, ISSUER = "EdDSA", "erasure-receipt+jwt", "blockloom"
LONGEST = 10_000
# Receipts never expire, and one from a clock that is ahead of ours is as good.
CHECKS: Options = {
    "require": ["iss", "iat", "jti", "sub"], "verify_iat": False, "verify_exp": False, "verify_nbf": False,
}  # fmt: skip


def erasure(
    space: str, subject: Pseudonym, at: float, erased: Mapping[str, int], entry: str
) -> dict[str, Any]:
    """The claims of one. `entry`: the id of the audit log's entry that tells of the same."""
    claims = {"iss": ISSUER, "iat": int(at), "jti": entry, "sub": subject}
    return {**claims, "space": space, "erased": dict(erased)}


def issue(key: SigningKey, claims: Mapping[str, Any]) -> str:
    return jwt.encode(dict(claims), key.private, ALGORITHM, {"kid": key.id, "typ": TYPE})


def verify(keys: PublicKeys, text: str) -> dict[str, Any]:
    """Its claims. Raises BadInput, which says why it proves nothing."""
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", text, re.ASCII) or len(text) > LONGEST:
        raise BadInput("this is no receipt; give the whole text, three parts with dots between them")
    try:
        header = jwt.get_unverified_header(text)
        if header.get("typ") != TYPE:
            raise BadInput("this was signed, but it is no receipt of an erasure")
        key = keys.get(header.get("kid", ""))
        if key is None:
            raise BadInput("this receipt is signed with a key that is not among those given")
        return jwt.decode(text, key, [ALGORITHM], CHECKS, issuer=ISSUER)
    except jwt.InvalidTokenError as error:
        raise BadInput(f"this receipt proves nothing: {error}") from error


def public_keys(key_set: Any) -> PublicKeys:
    """Those of a JSON Web Key Set that verify receipts. Raises BadInput."""
    try:
        if not isinstance(key_set, dict):
            raise jwt.PyJWKSetError("it is no object")
        found = jwt.PyJWKSet.from_dict(key_set).keys
    except jwt.PyJWTError as error:
        raise BadInput(f"this is no JSON Web Key Set with an Ed25519 key: {error}") from error
    return {key.key_id: key.key for key in found if key.key_id and key.algorithm_name == ALGORITHM}
