"""Figures for Prometheus."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from gateway.api.metrics import CONTENT_TYPE, exposed, registry
from gateway.app import build_app
from schemas.vocabulary import Scope
from tests.gateway.api.test_bad_input import BUNDLE
from tests.gateway.live import Live, live

NAME = "blockloom_operations_total"


@dataclass
class Count:
    hits: int = 0
    bails: int = 0
    fallbacks: int = 0


def read(text: str) -> dict[tuple[str, str], float]:
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {"blockloom_operations", "process_resident_memory_bytes"} <= families.keys()
    samples = families["blockloom_operations"].samples
    return {(s.labels["operation"], s.labels["ran"]): s.value for s in samples if s.name == NAME}


def test_the_counts_of_all_schemas_are_added() -> None:
    first, second = {"Home": Count(5, 1), 'odd "\n\\ name': Count(0, 0, 2)}, {"Home": Count(2, 0, 4)}
    told = read(exposed(registry(lambda: [first, second])).decode())
    assert told == {
        ("Home", "compiled"): 7,
        ("Home", "bailed"): 1,
        ("Home", "reference"): 4,
        ('odd "\n\\ name', "compiled"): 0,
        ('odd "\n\\ name', "bailed"): 0,
        ('odd "\n\\ name', "reference"): 2,
    }


def test_they_are_read_when_they_are_asked_for() -> None:
    counts = {"Home": Count(1)}
    figures = registry(lambda: [counts])
    counts["Home"].hits = 9
    assert read(exposed(figures).decode())["Home", "compiled"] == 9


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, "metrics", alone=True) as running:
        await running.load(BUNDLE)
        await running.gateway.create_space("other")
        yield running


@pytest.mark.asyncio(loop_scope="module")
async def test_an_administrator_sees_how_operations_ran(found: Live) -> None:
    client = await found.client(Scope.ADMIN)
    for _ in range(3):
        await client.ask('query Home { page(slug: "home") { slug } }')
    answer = await found.http.get("/metrics", headers=client.headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, CONTENT_TYPE)
    told = read(answer.text)
    assert sum(told["Home", ran] for ran in ("compiled", "bailed", "reference")) == 3


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_else_does(found: Live) -> None:
    async def said(headers: dict[str, str]) -> tuple[int, str]:
        answer = await found.http.get("/metrics", headers=headers)
        return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]

    editor = await found.client(Scope.EDITOR)
    elsewhere = await found.client(Scope.ADMIN, space="other")
    assert await said({}) == (401, "UNAUTHENTICATED")
    assert await said({"authorization": "Bearer nonsense"}) == (401, "UNAUTHENTICATED")
    assert await said(dict(editor.headers)) == (403, "FORBIDDEN")
    assert await said(dict(elsewhere.headers)) == (403, "FORBIDDEN")


@pytest.mark.asyncio(loop_scope="module")
async def test_in_a_demo_everybody_does(found: Live) -> None:
    transport = httpx.ASGITransport(build_app(found.gateway, open_access=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        assert (await http.get("/metrics")).status_code == 200
