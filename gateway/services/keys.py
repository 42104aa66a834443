"""The deployment's keys: given by its operator, or made once and kept in the control database.

The secret behind pseudonyms is made once and kept sealed, so that keys can be exchanged and pseudonyms stay. Whether it
opens also tells whether the keys that are given are the right ones, before anything is written with wrong ones.
"""

import logging
import secrets
from collections.abc import Sequence

from gateway.core.keys import Keys, sealer_of
from gateway.core.sealing import Sealer, Unopened
from gateway.errors import BadInput
from gateway.settings import Settings
from gateway.storage.control import ControlStore

log = logging.getLogger(__name__)

MADE = "keys"  # the names of the secrets in the control database
PSEUDONYMS = "pseudonyms"


async def open_keys(control: ControlStore, settings: Settings) -> Keys:
    """Raises BadInput where the keys that are given are not those that this deployment was begun with."""
    given = given_keys(settings)
    sealed = await control.find_secret(PSEUDONYMS)
    chosen = given or [await _made(control, begun=sealed is not None)]
    sealer = sealer_of(chosen)
    if sealed is None:
        fresh = sealer.seal(secrets.token_hex(32)).encode()
        sealed = await control.secret(PSEUDONYMS, fresh)
    pseudonyms = _opened(sealer, sealed)
    resealed = sealer.reseal(sealed.decode()).encode()
    if resealed != sealed:
        await control.replace_secret(PSEUDONYMS, sealed, resealed)
    await _take_out(control, given)
    return Keys.of(chosen, bytes.fromhex(pseudonyms))


async def check_keys(control: ControlStore, given: Sequence[str]) -> None:
    """Raises BadInput where `open_keys` would. Makes nothing."""
    sealed = await control.find_secret(PSEUDONYMS)
    if sealed is not None:
        _opened(sealer_of(given), sealed)


async def made_key(control: ControlStore) -> str | None:
    """The one that is kept in the control database."""
    found = await control.find_secret(MADE)
    return found.decode() if found else None


def given_keys(settings: Settings) -> list[str]:
    return [key.get_secret_value() for key in settings.keys]


async def _made(control: ControlStore, begun: bool) -> str:
    found = await control.find_secret(MADE)
    if found is None and begun:
        raise BadInput("this deployment was begun with keys of its operator; give them in BLOCKLOOM_KEYS")
    return (found or await control.secret(MADE, secrets.token_urlsafe(32).encode())).decode()


async def _take_out(control: ControlStore, given: Sequence[str]) -> None:
    """A key that its operator holds is no longer kept beside what it protects."""
    if given and await made_key(control) in given:
        await control.drop_secret(MADE)
        log.warning(
            "the key that the database kept is given in BLOCKLOOM_KEYS and was taken out of the database"
        )


def _opened(sealer: Sealer, sealed: bytes) -> str:
    try:
        return str(sealer.open(sealed.decode()))
    except Unopened:
        raise BadInput(
            "BLOCKLOOM_KEYS has none of the keys that this deployment was begun with; add the one that was used "
            "before as the last (`blockloom audit key` prints it, if one was made and kept in the database)"
        ) from None
