"""What an event costs before it is stored, by protocol: inflated, decoded, parsed, mapped and checked, 100 at once.

The baseline of each is `orjson.loads` of the same body (for Google's tag, `parse_qsl`), in the same run.

    python -m benchmarks.collect [--rounds 40]
"""

import argparse
import gzip
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import orjson

from gateway.collect.bodies import inflated
from gateway.collect.names import NAMES
from gateway.collect.protocols import (
    DATALAYER,
    EVENTS,
    GTAG,
    JITSU_EVENTS,
    MEASUREMENT,
    MPARTICLE,
    SEGMENT,
    Protocol,
    Sent,
)
from gateway.collect.taking import sort

EVENTS_AT_ONCE = 100
TARGET = 150.0  # microseconds of CPU an event
NOW = time.time()
AT = "2026-11-22T07:17:38.894Z"
URL = "https://shop.example/boots?utm_source=news&utm_campaign=spring"


class Case(NamedTuple):
    protocol: Protocol
    sent: Sent
    baseline: Callable[[], Any]


def segment(number: int) -> Mapping[str, Any]:
    return {
        "type": "track", "event": "Product Added", "messageId": f"node-next-1795331858894-{number}", "timestamp": AT,
        "anonymousId": f"anon-{number % 40}", "userId": f"user-{number % 40}", "integrations": {},
        "properties": {"product_id": f"sku-{number}", "name": "Boot", "price": 80.5, "quantity": 1, "currency": "EUR"},
        "context": {
            "library": {"name": "@segment/analytics-node", "version": "3.1.0"}, "ip": "198.51.100.7", "locale": "en-GB",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0",
            "page": {"url": URL, "path": "/boots", "referrer": "https://news.example/", "title": "Boots"},
            "campaign": {"source": "news", "name": "spring"},
        },
        "_metadata": {"nodeVersion": "v20.20.2", "jsRuntime": "node"},
    }  # fmt: skip


def mparticle(number: int) -> Mapping[str, Any]:
    action = {"action": "add_to_cart", "products": [{"id": f"sku-{number}", "name": "Boot", "price": 80.5}]}
    data = {
        "product_action": action,
        "timestamp_unixtime_ms": int(NOW * 1000),
        "source_message_id": str(number),
    }
    return {"event_type": "commerce_event", "data": data}


def google(number: int) -> Mapping[str, Any]:
    items = [{"item_id": f"sku-{number}", "item_name": "Boot", "price": 80.5, "quantity": 1}]
    params = {"currency": "EUR", "value": 80.5, "items": items, "page_location": URL, "session_id": "1"}
    return {"name": "add_to_cart", "timestamp_micros": int(NOW * 1e6), "params": params}


def pushed(number: int) -> Mapping[str, Any]:
    items = [{"item_id": f"sku-{number}", "item_name": "Boot", "price": 80.5}]
    data = {"event": "add_to_cart", "ecommerce": {"value": 80.5, "items": items}, "gtm.uniqueEventId": number}
    return {"id": f"{number:032}", "name": "add_to_cart", "at": AT, "url": URL, "user": "u", "data": data}


def ours(number: int) -> Mapping[str, Any]:
    return {
        "id": f"event-{number}", "type": "add_to_cart", "visitor": f"v{number % 40}", "block": f"sku-{number}",
        "value": 80.5, "occurredAt": AT, "properties": {"size": "M", "color": "red"},
        "context": {"url": URL, "referrer": "https://news.example/"},
    }  # fmt: skip


def tagged(number: int) -> str:
    return urlencode(
        {"en": "add_to_cart", "epn.value": 80.5, "_et": 1200, "pr1": f"idsku-{number}~nmBoot~pr80.5~qt1"}
    )


def of_json(protocol: Protocol, document: Any, kind: str = "batch", compress: bool = False) -> Case:
    body = orjson.dumps(document)
    headers = {"content-encoding": "gzip"} if compress else {}
    sent = Sent(headers, "", {"kind": kind}, NOW, gzip.compress(body) if compress else body)
    return Case(protocol, sent, lambda: orjson.loads(body))


def of_tag() -> Case:
    query = urlencode(
        {"v": 2, "tid": "G-1", "cid": "1.2", "_p": 7, "_s": 1, "dl": URL, "ul": "en-gb", "gcs": "G111"}
    )
    lines = [tagged(number).encode() for number in range(EVENTS_AT_ONCE)]
    sent = Sent({}, query, {}, NOW, b"\r\n".join(lines))
    return Case(GTAG, sent, lambda: [parse_qsl(line.decode()) for line in lines])


def cases() -> Mapping[str, Case]:
    numbers = range(EVENTS_AT_ONCE)
    batch = {"batch": [segment(number) for number in numbers], "sentAt": AT, "writeKey": "k"}
    return {
        "Segment batch": of_json(SEGMENT, batch),
        "Segment batch, gzip": of_json(SEGMENT, batch, compress=True),
        "Jitsu, 100 requests": of_json(JITSU_EVENTS, {**segment(0), "sentAt": AT}, "track"),
        "mParticle batch": of_json(
            MPARTICLE, {"mp_deviceid": "d", "events": [mparticle(n) for n in numbers]}
        ),
        "Measurement Protocol, 4 requests": of_json(
            MEASUREMENT, {"client_id": "1.2", "events": [google(n) for n in range(25)]}
        ),
        "Google's tag": of_tag(),
        "dataLayer": of_json(
            DATALAYER, {"visitor": "v", "sentAt": AT, "events": [pushed(n) for n in numbers]}
        ),
        "REST": of_json(EVENTS, {"events": [ours(number) for number in numbers], "sentAt": AT}),
    }


def collected(case: Case) -> int:
    """How many events came of one body."""
    body = inflated(case.sent.body, case.sent.headers.get("content-encoding", ""), 1_048_576)
    sent = Sent(case.sent.headers, case.sent.query, case.sent.path, case.sent.received, body)
    found = sort(case.protocol.parse(sent, case.protocol.read(sent)), NAMES, NOW)
    assert not found.rejected, found.rejected
    return len(found.events)


def microseconds(work: Callable[[], Any], rounds: int) -> float:
    """CPU of one call, the median of five series."""
    series = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(rounds):
            work()
        series.append((time.process_time() - began) / rounds * 1e6)
    return statistics.median(series)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    worst = 0.0
    for name, case in cases().items():
        events = collected(case)
        times = EVENTS_AT_ONCE // events
        each = microseconds(lambda case=case: collected(case), rounds * times) / events
        decoding = microseconds(case.baseline, rounds * times) / events
        worst = max(worst, each)
        print(
            f"{name:34} {each:6.1f} us an event, {each / decoding:4.1f} times its decoding ({decoding:.1f} us)"
        )
    print(f"the dearest is {worst:.1f} us; the target is {TARGET:.0f}")


if __name__ == "__main__":
    main()
