"""Values that are kept encrypted: which traits, and how.

Fernet, as `cryptography` has it (AES-128-CBC with HMAC-SHA-256). Seal with the newest key, open with any.
"""

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PERSONAL = (
    "email", "emailAddress", "phone", "phoneNumber", "mobile", "telephone", "name", "fullName", "firstName",
    "middleName", "lastName", "givenName", "familyName", "surname", "username", "address", "street",
    "postalCode", "zip", "birthday", "birthDate", "dateOfBirth", "ip", "ipAddress", "avatar", "taxId",
    "passport", "iban", "cardNumber",
)  # fmt: skip

SEALED = "sealed:"  # what every sealed text begins with


class Unopened(Exception):
    """None of the keys opens it: it was changed, or its key is no longer given."""


class Sealer:
    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys`: 32 bytes each, the newest first; at least one."""
        self._each = [Fernet(base64.urlsafe_b64encode(key)) for key in keys]
        self._all = MultiFernet(self._each)

    def seal(self, value: Any) -> str:
        """`value` is anything that is JSON. Two seals of the same value differ."""
        return SEALED + self._all.encrypt(orjson.dumps(value)).decode()

    def open(self, text: str) -> Any:
        """Raises Unopened."""
        return orjson.loads(self._opened(self._all, text))

    def reseal(self, text: str) -> str:
        """The same under the newest key; the very text if it is that already. Raises Unopened."""
        try:
            self._opened(self._each[0], text)
        except Unopened:
            return SEALED + self._all.encrypt(self._opened(self._all, text)).decode()
        return text

    def _opened(self, by: Fernet | MultiFernet, text: str) -> bytes:
        if not is_sealed(text) or not text.isascii():
            raise Unopened("this was never sealed")
        try:
            return by.decrypt(text.removeprefix(SEALED))
        except InvalidToken:
            raise Unopened("no key opens this; give the one that sealed it in BLOCKLOOM_KEYS") from None


def is_sealed(value: object) -> bool:
    return isinstance(value, str) and value.startswith(SEALED)


class PersonalTraits:
    """The names of traits that are sealed: `"first_name" in PersonalTraits(["firstName"])`."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(map(_plain, names))

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._names


def _plain(name: str) -> str:
    """People write firstName, first_name, First-Name and mean the same."""
    return "".join(letter for letter in name if letter.isalnum()).casefold()
