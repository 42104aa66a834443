"""Others' own words for GraphQL over HTTP: the audits of the specification, and Apollo's client."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.gateway.api.test_bad_input import BUNDLE
from tests.gateway.live import Live, live
from tests.npm import require_packages, run_node

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDITS = 61


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    require_packages()
    async with live(engine_url, "clients", alone=True) as running:
        await running.load(BUNDLE)
        yield running


async def test_every_audit_of_the_specification_is_passed(found: Live) -> None:
    client = await found.client()
    told = await run_node("audit.mjs", f"{found.address}/graphql", client.headers["authorization"])
    results = json.loads(told)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_apollos_client_sends_a_query_once_and_its_hash_from_then_on(found: Live, method: str) -> None:
    client = await found.client()
    told = await run_node(
        "persisted.mjs", f"{found.address}/graphql", client.headers["authorization"], method
    )
    page = {"__typename": "Page", "slug": "home", "title": "Home"}
    hashed = {"method": method, "withText": False}
    assert json.loads(told) == {
        "sent": [
            {**hashed, "status": 400},
            {"method": "POST", "withText": True, "status": 200},
            {**hashed, "status": 200},
        ],
        "answers": [page, page],
    }
