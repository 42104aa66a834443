"""Other people's clients as they are, pointed at a live gateway."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
import rudderstack.analytics.client
import segment.analytics.client
from ga4mp import GtagMP

from tests.gateway.collect.made import Collecting
from tests.npm import require_packages, run_node

pytestmark = pytest.mark.asyncio(loop_scope="package")

Kept = Sequence[tuple[str, str | None, float | None]]
BOUGHT: Kept = [
    ("page_view", None, None),
    ("view", "boot", None),
    ("add_to_cart", "boot", 80.0),
    ("purchase", "boot", 80.0),
    ("group", None, None),
    ("page_view", None, None),
]


async def told(found: Collecting, script: str, *arguments: str) -> Any:
    """What a client of tests/node prints."""
    require_packages()
    return json.loads(await run_node(script, found.address, *arguments))


async def test_segments_node_library_tells_of_a_visit(found: Collecting) -> None:
    assert await told(found, "segment.mjs", await found.token(), "segment-node") == []
    assert await found.kept("segment-node") == BOUGHT
    events = await found.events("segment-node")
    assert [events[0].page, events[-1].page] == ["/shoes", "Cart"]
    assert await found.traits("segment-node") == {"plan": "gold"}


async def test_rudderstacks_node_library_sends_gzip_that_it_calls_a_form(found: Collecting) -> None:
    assert await told(found, "rudder.mjs", await found.token(), "rudder-node") == []
    kept = await found.kept("rudder-node")
    assert sorted(kept, key=str) == [("add_to_cart", "boot", 80.0), ("page_view", None, None)]
    assert await found.traits("rudder-node") == {"plan": "gold"}


async def test_jitsus_library_sends_its_key_in_a_header_of_its_own(found: Collecting) -> None:
    user = await told(found, "jitsu.mjs", "shop:" + await found.token())
    visitor = user["anonymousId"]
    assert await found.kept(visitor) == [("page_view", None, None), ("add_to_cart", "boot", 80.0)]
    assert await found.traits(visitor) == {"plan": "gold"}


async def test_mparticles_node_library_sends_a_batch_twice_and_it_counts_once(found: Collecting) -> None:
    assert await told(found, "mparticle.mjs", await found.token(), "mp-node") == [202, 202]
    assert await found.kept("mp-node") == [
        ("video_watched", "clip", None),
        ("page_view", None, None),
        ("purchase", "boot", 80.0),
    ]
    assert await found.traits("mp-node") == {"plan": "gold"}


@pytest.mark.parametrize("gzip", [False, True])
async def test_segments_python_library_tells_of_an_order(found: Collecting, gzip: bool) -> None:
    visitor, key, failures = f"segment-python-{gzip}", await found.token(), []

    def visit() -> None:
        client = segment.analytics.client.Client(
            key, host=found.address, gzip=gzip, on_error=lambda *failed: failures.append(failed)
        )
        client.track(None, "Order Completed", {"revenue": 12.5}, anonymous_id=visitor)
        client.identify("u-python", {"plan": "gold"}, anonymous_id=visitor)
        client.shutdown()

    await asyncio.to_thread(visit)
    assert failures == []
    assert await found.kept(visitor) == [("purchase", None, 12.5)]
    assert await found.traits(visitor) == {"plan": "gold"}


async def test_rudderstacks_python_library_tells_of_an_order(found: Collecting) -> None:
    key, failures = await found.token(), []

    def visit() -> None:
        client = rudderstack.analytics.client.Client(
            key, host=found.address, gzip=True, on_error=lambda *failed: failures.append(failed)
        )
        client.track("u-python", "Order Completed", {"revenue": 12.5}, anonymous_id="rudder-python")
        client.shutdown()

    await asyncio.to_thread(visit)
    assert failures == []
    assert await found.kept("rudder-python") == [("purchase", None, 12.5)]


async def test_a_measurement_protocol_library_tells_of_a_purchase_and_has_it_validated(
    found: Collecting,
) -> None:
    key = await found.token(publishable=False)

    def visit() -> None:
        client = GtagMP(api_secret=key, measurement_id="G-1", client_id="ga4-python")
        client._base_domain = f"{found.address}/mp/collect"
        client._validation_domain = f"{found.address}/debug/mp/collect"
        bought = client.create_new_event("purchase")
        bought.set_event_param("value", 49.5)
        bought.set_event_param("currency", "EUR")
        bought.set_event_param("transaction_id", "t1")
        bought.set_event_param("items", [{"item_id": "boot", "quantity": 1}])
        client.send([bought], validation_hit=True)
        client.send([bought])
        client.send([bought])

    await asyncio.to_thread(visit)
    assert await found.kept("ga4-python") == [("purchase", "boot", 49.5)]
