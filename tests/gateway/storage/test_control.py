import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.storage.control import Space, StoredToken

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TOKEN = StoredToken("ab" * 32, "shop", "main", ("delivery", "events"), True, NOON, last_four="x9Zq")


async def test_spaces_are_made_once(storage):
    assert await storage.control.create_space("shop", NOON)
    assert not await storage.control.create_space("shop", NOON + timedelta(1))
    assert await storage.control.create_space("blog", NOON)
    assert await storage.control.spaces() == [Space("blog", NOON), Space("shop", NOON)]


async def test_a_token_is_found_by_its_digest(storage):
    assert await storage.control.create_token(TOKEN)
    assert not await storage.control.create_token(replace(TOKEN, name="again"))
    assert await storage.control.find_token(TOKEN.digest) == TOKEN
    assert await storage.control.find_token("0" * 64) is None


async def test_tokens_are_listed_by_space_oldest_first(storage):
    newer = replace(TOKEN, digest="00" * 32, created=NOON + timedelta(1), expires=NOON + timedelta(9))
    other = replace(TOKEN, digest="11" * 32, space="blog", created=NOON + timedelta(2))
    for token in (other, newer, TOKEN):
        await storage.control.create_token(token)
    assert await storage.control.tokens("main") == [TOKEN, newer]
    assert await storage.control.tokens() == [TOKEN, newer, other]


async def test_a_token_is_revoked_once(storage):
    await storage.control.create_token(TOKEN)
    assert await storage.control.revoke_token(TOKEN.digest, NOON)
    assert not await storage.control.revoke_token(TOKEN.digest, NOON + timedelta(1))
    assert await storage.control.find_token(TOKEN.digest) == replace(TOKEN, revoked=NOON)


async def test_all_processes_share_the_first_secret(storage):
    offered = [bytes([i]) * 32 for i in range(8)]
    got = await asyncio.gather(*(storage.control.secret("signing", secret) for secret in offered))
    assert len(set(got)) == 1
    assert got[0] in offered
    assert await storage.control.secret("signing", b"late") == got[0]


async def test_a_secret_is_found_exchanged_by_who_knows_it_and_dropped(storage):
    control = storage.control
    assert await control.find_secret("keys") is None
    await control.secret("keys", b"old")
    assert not await control.replace_secret("keys", b"wrong", b"new")
    assert await control.find_secret("keys") == b"old"
    assert await control.replace_secret("keys", b"old", b"new")
    assert await control.find_secret("keys") == b"new"
    assert await control.drop_secret("keys")
    assert not await control.drop_secret("keys")
    assert await control.find_secret("keys") is None
