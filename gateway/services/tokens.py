"""Tokens: made once, stored as hashes, looked up for each request from a small cache."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.core.access import PUBLISHABLE, Caller, digest_of, new_token
from gateway.errors import BadInput, NotFound, StoreUnavailable, Unauthenticated
from gateway.services.audit import Audit
from gateway.storage.control import ControlStore, StoredToken
from schemas.vocabulary import AuditKind, Scope

log = logging.getLogger(__name__)

FRESH = 5.0  # seconds after which a revocation is noticed at the latest
STALE = 3600.0  # seconds that a known token is still believed while the store is away
PATIENCE = 0.5  # seconds that a request waits to hear whether a token it knows still holds
CACHED = 10_000
LONGEST = 200
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller | None  # None: there is no such token, or it was revoked
    expires: datetime | None
    asked: float  # monotonic seconds


NOBODY = _Known(None, None, 0.0)


class Tokens:
    def __init__(self, store: ControlStore, audit: Audit) -> None:
        self._store = store
        self._audit = audit
        self._cache: OrderedDict[str, _Known] = OrderedDict()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._away = False  # the store did not answer in time, and has not since

    async def create(
        self,
        space: str,
        scopes: Collection[Scope],
        name: str,
        publishable: bool = False,
        lives: timedelta | None = None,
        by: str = COMMAND_LINE,
    ) -> tuple[str, StoredToken]:
        """The token, which nobody can read again, and what is stored of it."""
        token = new_token(publishable)
        return token, await self.register(token, space, scopes, name, publishable, lives, by)

    async def register(
        self,
        token: str,
        space: str,
        scopes: Collection[Scope],
        name: str,
        publishable: bool = False,
        lives: timedelta | None = None,
        by: str = COMMAND_LINE,
    ) -> StoredToken:
        """Make this very token valid; one that is known already stays as it is."""
        if not scopes:
            raise BadInput("a token needs at least one scope")
        if publishable and not PUBLISHABLE.issuperset(scopes):
            raise BadInput("a publishable token may carry the scopes delivery and events, no others")
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as the store keeps it
        stored = StoredToken(
            digest=digest_of(token),
            name=name,
            space=space,
            scopes=tuple(sorted(set(scopes))),
            publishable=publishable,
            created=now,
            expires=None if lives is None else now + lives,
            last_four=token[-4:],
        )
        if await self._store.create_token(stored):
            details = {"token": _id(stored.digest), "name": name, "scopes": list(stored.scopes)}
            await self._audit.write(AuditKind.TOKEN_CREATED, space, by, details=details)
        self._cache.pop(stored.digest, None)
        return stored

    async def revoke(self, digest: str, space: str, by: str = COMMAND_LINE) -> None:
        """`digest` may be shortened to its first 12 letters or more. Raises NotFound."""
        for token in await self._store.tokens(space):
            if len(digest) >= 12 and token.digest.startswith(digest) and token.revoked is None:
                await self._store.revoke_token(token.digest, datetime.now(UTC))
                self._cache.pop(token.digest, None)
                details = {"token": _id(token.digest), "name": token.name}
                await self._audit.write(AuditKind.TOKEN_REVOKED, space, by, details=details)
                return
        raise NotFound("no such token in this space; list them with `blockloom tokens list`")

    async def of_space(self, space: str) -> list[StoredToken]:
        return [token for token in await self._store.tokens(space) if token.revoked is None]

    async def caller(self, token: str) -> Caller:
        """Raises Unauthenticated, or StoreUnavailable when it cannot be told."""
        known = await self._find(digest_of(token)) if 0 < len(token) <= LONGEST else NOBODY
        if known.caller is None or (known.expires and known.expires <= datetime.now(UTC)):
            raise Unauthenticated("this token is not known, has expired or was revoked; ask for another")
        return known.caller

    async def _find(self, digest: str) -> _Known:
        known = self._cache.get(digest)
        if known is None:
            return await self._ask(digest)
        age = time.monotonic() - known.asked
        if age < FRESH:
            return known
        if age > STALE:
            return await self._ask(digest)
        await self._renew(digest)
        return self._cache.get(digest, known)

    async def _renew(self, digest: str) -> None:
        """Ask again; beside the request where the store is slow, so that a known token is believed meanwhile."""
        if digest not in self._asking:
            self._asking[digest] = asyncio.create_task(self._ask_again(digest))
        asking = self._asking[digest]
        done, _ = await asyncio.wait({asking}, timeout=0.0 if self._away else PATIENCE)
        self._away = self._away or not done

    async def _ask_again(self, digest: str) -> None:
        try:
            await self._ask(digest)
            self._away = False
        except StoreUnavailable as error:
            self._away = True
            log.info("tokens are believed for an hour at the most: %s", error)
        finally:
            del self._asking[digest]

    async def _ask(self, digest: str) -> _Known:
        found = await self._store.find_token(digest)
        expires = found.expires if found else None
        before = self._cache.get(digest)
        known = self._cache[digest] = _Known(_caller(found), expires, time.monotonic())
        if before is None or (before.caller is None) is not (known.caller is None):
            self._note(digest, found, known)
        self._cache.move_to_end(digest)
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return known

    def _note(self, digest: str, found: StoredToken | None, known: _Known) -> None:
        kind = AuditKind.TOKEN_REFUSED if known.caller is None else AuditKind.TOKEN_USED
        space, name = (found.space, found.name) if found else ("", "")
        self._audit.note(kind, space, name, details={"token": _id(digest)})


def _id(digest: str) -> str:
    """As lists of tokens show it."""
    return digest[:16]


def _caller(found: StoredToken | None) -> Caller | None:
    if found is None or found.revoked or (found.expires and found.expires <= datetime.now(UTC)):
        return None
    return Caller(found.space, frozenset(map(Scope, found.scopes)), found.name, found.publishable)
