"""What a deployment's keys give: one that signs, all that verify, and those that seal.

An operator gives secrets, the newest first; from each of them HKDF-SHA-256 makes a key for every purpose, so that
no purpose tells of another. What must outlive every rotation, the key of pseudonyms, is not made of them but sealed
with them.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.core.pseudonyms import Pseudonyms
from gateway.core.sealing import Sealer

SHORTEST = 32  # characters of a secret that an operator gives

PublicKeys = Mapping[str, Ed25519PublicKey]
"""By their ids."""


def derived(secret: bytes, purpose: str) -> bytes:
    """32 bytes."""
    return HKDF(SHA256(), 32, salt=None, info=f"blockloom {purpose}".encode()).derive(secret)


@dataclass(frozen=True, slots=True)
class SigningKey:
    id: str  # the thumbprint of its public key (RFC 7638)
    private: Ed25519PrivateKey

    @classmethod
    def of(cls, secret: str) -> "SigningKey":
        private = Ed25519PrivateKey.from_private_bytes(derived(secret.encode(), "signing"))
        return cls(_thumbprint(private.public_key()), private)


@dataclass(frozen=True, slots=True)
class Keys:
    signing: SigningKey
    public: PublicKeys
    sealer: Sealer
    _pseudonyms: bytes

    @classmethod
    def of(cls, secrets: Sequence[str], pseudonyms: bytes) -> "Keys":
        """`pseudonyms`: the secret that visitors' ids are hashed with, which no rotation changes."""
        signing = [SigningKey.of(secret) for secret in secrets]
        public = {key.id: key.private.public_key() for key in signing}
        return cls(signing[0], public, sealer_of(secrets), pseudonyms)

    def pseudonyms(self, space: str) -> Pseudonyms:
        """Those of one space: the same visitor has another name in each, so that they cannot be put together."""
        return Pseudonyms(derived(self._pseudonyms, f"pseudonyms {space}"))


def sealer_of(secrets: Sequence[str]) -> Sealer:
    return Sealer([derived(secret.encode(), "sealing") for secret in secrets])


def key_set(keys: PublicKeys) -> dict[str, Any]:
    """A JSON Web Key Set (RFC 7517), as it is served to whoever wants to verify; the one that signs first."""
    more = {"use": "sig", "alg": "EdDSA"}
    return {"keys": [{**_jwk(key), "kid": id_, **more} for id_, key in keys.items()]}


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64(key.public_bytes_raw())}


def _thumbprint(key: Ed25519PublicKey) -> str:
    canonical = orjson.dumps(_jwk(key), option=orjson.OPT_SORT_KEYS)
    return _base64(hashlib.sha256(canonical).digest())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
