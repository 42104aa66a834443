"""Rules that editors try before they save them."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from schemas.vocabulary import Scope
from tests.gateway.live import Client, live

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(engine_url: str) -> AsyncIterator[Client]:
    async with live(engine_url, f"t{uuid4().hex[:12]}", alone=True) as found:
        yield await found.client(Scope.EDITOR)


TRIALS: list[tuple[Any, Any, bool, str | None]] = [
    ({"device.type": "mobile"}, {"device": {"type": "mobile"}}, True, None),
    ({"device.type": "mobile"}, {"device": {"type": "tv"}}, False, "device.type"),
    ({"device.type": "mobile"}, {}, False, "device.type"),
    ({"time.hour": {"$gte": 21}, "geo.country": "GB"}, {"time": {"hour": 22}}, False, "geo.country"),
    ({"$or": [{"geo.country": "GB"}, {"geo.country": "FR"}]}, {"geo": {"country": "FR"}}, True, None),
    ({}, {}, True, None),
]


@pytest.mark.parametrize(("condition", "facts", "matches", "failed"), TRIALS)
async def test_a_rule_is_tried_before_it_is_saved(
    editor: Client, condition: Any, facts: Any, matches: bool, failed: str | None
) -> None:
    query = """query($c: JSON!, $f: JSON!) { tryCondition(condition: $c, facts: $f) {
                 matches sentence failed { path } problems { path code } } }"""
    tried = (await editor.ask(query, c=condition, f=facts))["tryCondition"]
    assert (tried["matches"], tried["failed"] and tried["failed"]["path"]) == (matches, failed)
    assert tried["problems"] == []
    assert tried["sentence"]


@pytest.mark.parametrize(
    "condition", [{"geo.country": {"$like": "G"}}, {"weather": "rain"}, 5, "x", [], None]
)
async def test_a_rule_that_is_wrong_is_told_why(editor: Client, condition: Any) -> None:
    query = """query($c: JSON!) { tryCondition(condition: $c, facts: {}) {
                 matches problems { path message code } } }"""
    answer = await editor.post(query, c=condition)
    if condition is None:  # which is no JSON! at all
        assert answer["errors"]
        return
    tried = answer["data"]["tryCondition"]
    assert tried["matches"] is False
    assert tried["problems"]
