"""Laws that hold for whatever anybody sends over any protocol."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.collect.names import NAMES
from gateway.collect.protocols import (
    DATALAYER,
    EVENTS,
    GTAG,
    JITSU_EVENTS,
    MEASUREMENT,
    MPARTICLE,
    PIXEL,
    SEGMENT,
    Protocol,
    Sent,
)
from gateway.collect.refusals import Refused
from gateway.collect.taking import Sorted, sort
from gateway.core.events import event_problem

NOW = 1_800_000_000.0
WORDS = [
    "batch", "type", "track", "identify", "alias", "userId", "anonymousId", "previousId", "messageId", "event",
    "timestamp", "sentAt", "properties", "traits", "context", "consent", "categoryPreferences", "page", "url",
    "campaign", "events", "event_type", "custom_event", "commerce_event", "data", "product_action", "products",
    "user_identities", "customer_id", "user_attributes", "mp_deviceid", "client_id", "params", "name", "items",
    "timestamp_micros", "user_properties", "value", "visitor", "id", "at", "ecommerce", "block", "occurredAt",
    "$where", "__proto__", "a.b", "2027-01-15T07:59:00Z", "Product List Viewed", "purchase", "granted",
]  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS)
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.sampled_from(WORDS), below, max_size=8),
    max_leaves=12,
)
JSON: dict[str, Protocol] = {
    "Segment": SEGMENT,
    "Jitsu": JITSU_EVENTS,
    "mParticle": MPARTICLE,
    "Measurement Protocol": MEASUREMENT,
    "dataLayer": DATALAYER,
    "REST": EVENTS,
}
TEXTS: dict[str, Protocol] = {"Google's tag": GTAG, "pixel": PIXEL}


def collected(protocol: Protocol, sent: Sent) -> Sorted:
    return sort(protocol.parse(sent, protocol.read(sent)), NAMES, NOW)


def answered(protocol: Protocol, body: bytes, kind: str = "batch", query: str = "") -> Sorted:
    try:
        return collected(protocol, Sent({}, query, {"kind": kind}, NOW, body))
    except Refused:
        return Sorted()


def sound(found: Sorted) -> bool:
    """Whether all that would be stored may be."""
    return all(event_problem(event) is None for event in found.events)


@pytest.mark.parametrize("name", JSON)
@given(document=DOCUMENTS, kind=st.sampled_from(["batch", "track", "page", "identify", "alias"]))
@settings(max_examples=60)
def test_any_json_is_taken_or_refused(name: str, document: Any, kind: str) -> None:
    body = json.dumps(document).encode()
    assert sound(answered(JSON[name], body, kind))


@pytest.mark.parametrize("name", JSON)
@given(body=st.binary(max_size=60))
@settings(max_examples=50)
def test_any_bytes_are_taken_or_refused(name: str, body: bytes) -> None:
    assert sound(answered(JSON[name], body))


PARAMETERS = [
    "cid", "en", "uid", "_p", "_s", "dl", "gcs", "gcd", "pr1", "epn.value", "ep.sku",
    "visitor", "type", "value", "url", "p.a",
]  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
@given(
    pairs=st.lists(st.tuples(st.sampled_from(PARAMETERS), st.text("aG1~%&=+0é", max_size=8)), max_size=8),
    body=st.binary(max_size=40),
)
@settings(max_examples=60)
def test_any_parameters_are_taken_or_refused(name: str, pairs: list[tuple[str, str]], body: bytes) -> None:
    query = "&".join(f"{key}={value}" for key, value in pairs)
    assert sound(answered(TEXTS[name], body, query=query))


@given(document=DOCUMENTS)
@settings(max_examples=40)
def test_what_is_sent_again_derives_the_same_ids(document: Any) -> None:
    """Of messages that name their time or an id; others have one of their own each time."""
    message = {"type": "track", "event": "x", "userId": "u", "messageId": "m", "properties": document}
    body = json.dumps({"batch": [message]}).encode()
    first, again = (answered(SEGMENT, body) for _ in range(2))
    assert [event.id for event in first.events] == [event.id for event in again.events]
