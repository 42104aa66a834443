from datetime import timedelta
from typing import Any

import pytest

from gateway.core.access import Caller
from gateway.errors import BadInput, NotFound, StoreUnavailable, Unauthenticated
from gateway.services import tokens as module
from gateway.services.audit import Audit
from gateway.services.tokens import Tokens
from gateway.storage.client import Storage
from schemas.vocabulary import Scope
from tests.gateway.core.logs import KEYS

DELIVERY, EVENTS = {Scope.DELIVERY}, {Scope.DELIVERY, Scope.EVENTS}


def tokens_of(storage: Storage, control: Any = None) -> Tokens:
    return Tokens(control or storage.control, Audit(storage.audit, "p", KEYS, timedelta(days=30)))


async def refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await tokens.caller(token)


async def test_a_token_says_who_is_calling(storage):
    tokens = tokens_of(storage)
    token, stored = await tokens.create("shop", EVENTS, "site", publishable=True)
    assert await tokens.caller(token) == Caller("shop", frozenset(EVENTS), "site", publishable=True)
    assert (stored.last_four, stored.scopes) == (token[-4:], ("delivery", "events"))
    assert token not in repr(stored)


@pytest.mark.parametrize("token", ["", "bls_unknown", "x" * 10_000, "ünknown"])
async def test_an_unknown_token_is_refused(storage, token):
    await refused(tokens_of(storage), token)


async def test_an_expired_token_is_refused(storage):
    tokens = tokens_of(storage)
    token, _ = await tokens.create("main", DELIVERY, "old", lives=timedelta(seconds=-1))
    await refused(tokens, token)
    living, _ = await tokens.create("main", DELIVERY, "new", lives=timedelta(hours=1))
    assert (await tokens.caller(living)).name == "new"


async def test_a_revoked_token_is_refused_at_once_here_and_soon_elsewhere(storage, monkeypatch):
    here, elsewhere = tokens_of(storage), tokens_of(storage)
    token, stored = await here.create("main", DELIVERY, "site")
    assert (await elsewhere.caller(token)).name == "site"
    await here.revoke(stored.digest[:12], "main")
    await refused(here, token)
    assert (await elsewhere.caller(token)).name == "site"
    monkeypatch.setattr(module, "FRESH", 0.0)
    await refused(elsewhere, token)
    assert await here.of_space("main") == []


@pytest.mark.parametrize(("cut", "space"), [(11, "main"), (64, "shop")])
async def test_only_a_token_of_the_space_that_is_named_well_enough_is_revoked(storage, cut, space):
    tokens = tokens_of(storage)
    token, stored = await tokens.create("main", DELIVERY, "site")
    with pytest.raises(NotFound, match="blockloom tokens list"):
        await tokens.revoke(stored.digest[:cut], space)
    assert (await tokens.caller(token)).name == "site"


async def test_a_publishable_token_carries_no_more_than_a_browser_may_know(storage):
    tokens = tokens_of(storage)
    for scope in set(Scope) - EVENTS:
        with pytest.raises(BadInput, match="delivery and events"):
            await tokens.create("main", {Scope.DELIVERY, scope}, "site", publishable=True)
    with pytest.raises(BadInput, match="at least one scope"):
        await tokens.create("main", set(), "site")
    assert await tokens.of_space("main") == []


async def test_registering_a_known_token_leaves_it_as_it_is(storage):
    tokens = tokens_of(storage)
    mine = "a token of my own, long enough"
    for scope in (Scope.ADMIN, Scope.DELIVERY):
        await tokens.register(mine, "main", {scope}, "first")
    assert (await tokens.caller(mine)).scopes == {Scope.ADMIN}


async def test_a_token_that_becomes_known_is_believed_at_once(storage):
    tokens = tokens_of(storage)
    mine = "a token of my own, long enough"
    await refused(tokens, mine)
    await tokens.register(mine, "main", DELIVERY, "late")
    assert (await tokens.caller(mine)).name == "late"


class Away:
    """The control store, which can be switched off."""

    def __init__(self, store) -> None:
        self._store = store
        self.off = False

    def __getattr__(self, name):
        if self.off:
            raise StoreUnavailable("the store is away")
        return getattr(self._store, name)


async def test_while_the_store_is_away_known_tokens_are_believed(storage, monkeypatch):
    control = Away(storage.control)
    tokens = tokens_of(storage, control)
    token, _ = await tokens.create("main", DELIVERY, "site")
    await tokens.caller(token)
    await refused(tokens, "bls_unknown")
    control.off = True
    monkeypatch.setattr(module, "FRESH", 0.0)
    assert (await tokens.caller(token)).name == "site"
    await refused(tokens, "bls_unknown")
    with pytest.raises(StoreUnavailable):
        await tokens.caller("bls_never_seen")
    monkeypatch.setattr(module, "STALE", 0.0)
    with pytest.raises(StoreUnavailable):
        await tokens.caller(token)


async def test_the_cache_of_tokens_is_bounded(storage, monkeypatch):
    monkeypatch.setattr(module, "CACHED", 3)
    tokens = tokens_of(storage)
    for number in range(9):
        await refused(tokens, f"bls_{number}")
    assert len(tokens._cache) == 3
