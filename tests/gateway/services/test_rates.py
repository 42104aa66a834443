"""How often tokens and addresses may ask."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core.access import Caller
from gateway.errors import BadInput, RateLimited, Unauthenticated
from gateway.services import rates as module
from gateway.services.rates import Rates
from gateway.settings import Settings
from schemas.vocabulary import Scope
from tests.redis import free_port, running_redis

HERE, THERE = "81.2.69.142", "81.2.69.143"


class Register:
    """Knows the tokens that begin with `good` (secret) and `page` (publishable), and counts who looks."""

    def __init__(self) -> None:
        self.looked = 0

    async def caller(self, token: str) -> Caller:
        self.looked += 1
        await asyncio.sleep(0)
        if not token.startswith(("good", "page")):
            raise Unauthenticated("unknown")
        return Caller("main", frozenset({Scope.EVENTS}), token, publishable=token.startswith("page"))


@asynccontextmanager
async def counting(**settings: Any) -> AsyncIterator[Rates]:
    rates = Rates(Settings(**settings))
    try:
        yield rates
    finally:
        await rates.close()


async def outcomes(
    rates: Rates, token: str, times: int, origin: str | None = None, register: Register | None = None
) -> Counter[str]:
    """What became of so many requests at once, by the code of their errors."""
    known = register or Register()

    async def asked() -> str:
        try:
            return (await rates.caller(known, token, origin)).name and "OK"
        except (RateLimited, Unauthenticated) as error:
            return error.code

    return Counter(await asyncio.gather(*(asked() for _ in range(times))))


@pytest.mark.parametrize("limit", [1, 7, 20, 59, 100, 1_000])
async def test_a_token_has_exactly_what_it_may_have(limit: int) -> None:
    async with counting(rate_limit=f"{limit}/minute") as rates:
        assert await outcomes(rates, "good", limit + 30) == {"OK": limit, "RATE_LIMITED": 30}
        assert await outcomes(rates, "good2", 1) == {"OK": 1}


async def test_who_is_refused_is_told_when_to_come_again_and_is_served_then() -> None:
    async with counting(rate_limit="5/second") as rates:
        await outcomes(rates, "good", 5)
        with pytest.raises(RateLimited) as refused:
            await rates.caller(Register(), "good", None)
        assert refused.value.extensions() == {"code": "RATE_LIMITED", "retryable": True, "retryAfter": 1}
        began = time.monotonic()
        while not (await outcomes(rates, "good", 1))["OK"]:  # noqa: ASYNC110  # it is time that must pass
            await asyncio.sleep(0.02)
        assert time.monotonic() - began < 2.0


async def test_without_a_limit_a_token_may_ask_as_often_as_it_likes() -> None:
    async with counting() as rates:
        assert await outcomes(rates, "good", 5_000, HERE) == {"OK": 5_000}


async def test_a_page_that_everybody_loads_cannot_be_used_up_by_one_address() -> None:
    async with counting(rate_limit_address="50/minute") as rates:
        assert await outcomes(rates, "page", 80, HERE) == {"OK": 50, "RATE_LIMITED": 30}
        assert await outcomes(rates, "page", 10, THERE) == {"OK": 10}
        assert await outcomes(rates, "good", 80, HERE) == {"OK": 80}  # a server that speaks for many
        assert await outcomes(rates, "page", 80, None) == {"OK": 80}  # behind a proxy that nobody declared


async def test_forged_tokens_cost_a_bounded_number_of_look_ups() -> None:
    register = Register()
    async with counting(rate_limit_unknown="10/minute") as rates:
        assert await outcomes(rates, "good", 1, HERE, register) == {"OK": 1}
        register.looked = 0
        for n in range(500):
            await outcomes(rates, f"forged-{n}", 1, HERE, register)
        assert register.looked == 9  # the good one was an attempt, too
        assert await outcomes(rates, "good", 100, HERE, register) == {"OK": 100}
        assert await outcomes(rates, "good3", 1, HERE, register) == {"RATE_LIMITED": 1}
        assert await outcomes(rates, "good3", 500, THERE, register) == {"OK": 500}


async def test_a_long_token_is_not_worked_on(caplog: pytest.LogCaptureFixture) -> None:
    async with counting() as rates:
        assert await outcomes(rates, "x" * 1_000_000, 1, HERE) == {"UNAUTHENTICATED": 1}


async def test_processes_share_a_limit_by_redis() -> None:
    with running_redis() as url:
        async with (
            counting(rate_limit="200/minute", rate_storage=url) as one,
            counting(rate_limit="200/minute", rate_storage=url) as other,
        ):
            found = await asyncio.gather(outcomes(one, "good", 150), outcomes(other, "good", 150))
            assert found[0] + found[1] == {"OK": 200, "RATE_LIMITED": 100}
            await outcomes(one, "good", 1)
            assert await outcomes(other, "good2", 5) == {"OK": 5}


async def test_while_redis_is_away_each_process_counts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AWAY", 0.2)
    port = free_port()
    async with counting(rate_limit="40/minute", rate_storage=f"redis://127.0.0.1:{port}") as rates:
        assert await outcomes(rates, "good", 50) == {"OK": 40, "RATE_LIMITED": 10}
        await asyncio.sleep(0.3)
        with running_redis(port):
            assert await outcomes(rates, "good2", 50) == {"OK": 40, "RATE_LIMITED": 10}


def test_a_storage_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="redis://host"):
        Rates(Settings(rate_storage="mysql://host"))


def test_who_stands_behind_a_trusted_proxy_is_counted_as_itself() -> None:
    headers = {"x-forwarded-for": f"{THERE}, {HERE}"}
    assert Rates(Settings(trusted_proxies=1)).origin(headers, "127.0.0.1") == HERE
    assert Rates(Settings()).origin(headers, "127.0.0.1") is None
    assert Rates(Settings()).origin({}, None) is None
