"""Tokens: made once, stored as hashes, looked up for each request from a small cache."""

import time
from collections import OrderedDict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from gateway.core.access import PUBLISHABLE, Caller, digest_of, new_token
from gateway.errors import BadInput, NotFound, Unauthenticated
from gateway.storage.control import ControlStore, StoredToken
from schemas.vocabulary import Scope

FRESH = 5.0  # seconds after which a revocation is noticed at the latest
STALE = 3600.0  # seconds that a known token is still believed while the store is away
CACHED = 10_000
LONGEST = 200


class Tokens:
    def __init__(self, store: ControlStore) -> None:
        self._store = store
        self._cache: OrderedDict[str, tuple[float, StoredToken | None]] = OrderedDict()

    async def create(
        self,
        space: str,
        scopes: Collection[Scope],
        name: str,
        publishable: bool = False,
        lives: timedelta | None = None,
    ) -> tuple[str, StoredToken]:
        """The token, which nobody can read again, and what is stored of it."""
        token = new_token(publishable)
        return token, await self.register(token, space, scopes, name, publishable, lives)

    async def register(
        self,
        token: str,
        space: str,
        scopes: Collection[Scope],
        name: str,
        publishable: bool = False,
        lives: timedelta | None = None,
    ) -> StoredToken:
        """Make this very token valid; one that is known already stays as it is."""
        if not scopes:
            raise BadInput("a token needs at least one scope")
        if publishable and not PUBLISHABLE.issuperset(scopes):
            raise BadInput("a publishable token may carry the scopes delivery and events, no others")
        now = datetime.now(UTC)
        stored = StoredToken(
            digest=digest_of(token),
            name=name,
            space=space,
            scopes=tuple(sorted(scopes)),
            publishable=publishable,
            created=now,
            expires=now + lives if lives else None,
            last_four=token[-4:],
        )
        await self._store.create_token(stored)
        self._cache.pop(stored.digest, None)
        return stored

    async def revoke(self, digest: str, space: str) -> None:
        """`digest` may be shortened to its first 12 letters or more. Raises NotFound."""
        for token in await self._store.tokens(space):
            if len(digest) >= 12 and token.digest.startswith(digest) and token.revoked is None:
                await self._store.revoke_token(token.digest, datetime.now(UTC))
                self._cache.pop(token.digest, None)
                return
        raise NotFound("no such token in this space; list them with `blockloom tokens list`")

    async def of_space(self, space: str) -> list[StoredToken]:
        return [token for token in await self._store.tokens(space) if token.revoked is None]

    async def caller(self, token: str) -> Caller:
        """Raises Unauthenticated, or StoreUnavailable when it cannot be told."""
        found = await self._find(digest_of(token)) if 0 < len(token) <= LONGEST else None
        if found is None or found.revoked or (found.expires and found.expires <= datetime.now(UTC)):
            raise Unauthenticated("this token is not known, has expired or was revoked; ask for another")
        scopes = frozenset(Scope(scope) for scope in found.scopes)
        return Caller(found.space, scopes, found.name, found.publishable)

    async def _find(self, digest: str) -> StoredToken | None:
        now = time.monotonic()
        looked_up, found = self._cache.get(digest, (float("-inf"), None))
        if now - looked_up < FRESH:
            return found
        try:
            found = await self._store.find_token(digest)
        except Exception:
            if now - looked_up < STALE:
                return found
            raise
        self._cache[digest] = now, found
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return found
