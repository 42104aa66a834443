"""What reading a request's context costs, warm and cold, each part: `python -m benchmarks.context`.

Warm: everything that can be remembered is (the same visitor asks again). Cold: a User-Agent, an
address, languages and a page that no request had before. CPU time, the best of several rounds, and as
multiples of what one `orjson.loads` of a small GraphQL request costs in the same run.
"""

import itertools
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Any

import orjson

from gateway.core.context import COUNTRY_DATABASE, ContextReader, CountryDatabase
from gateway.core.context.agents import is_bot, read_agent
from gateway.core.context.devices import device
from gateway.core.context.given import check_given
from gateway.core.context.languages import accepted_languages
from gateway.core.context.pages import url_facts
from gateway.core.context.places import cdn_place
from gateway.core.context.times import time_facts

NOW = 1_796_126_400.0
ADDRESS = "81.2.69.142"
GIVEN = {
    "device": {"type": "mobile"},
    "geo": {"country": "GB"},
    "timezone": "Europe/London",
    "locale": "en-GB",
}
CHROME = {
    "user-agent": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Mobile Safari/537.36",
    "sec-ch-ua": '"Chromium";v="124", "Google Chrome";v="124", "Not-A.Brand";v="99"',
    "sec-ch-ua-mobile": "?1",
    "sec-ch-ua-platform": '"Android"',
    "accept-language": "en-GB,en;q=0.9,de;q=0.8",
    "referer": "https://shop.example/shoes?utm_source=news&size=9",
}
CLOUDFRONT = {
    "cloudfront-viewer-country": "GB",
    "cloudfront-viewer-country-region": "ENG",
    "cloudfront-viewer-city": "London",
    "cloudfront-viewer-latitude": "51.50",
    "cloudfront-viewer-longitude": "-0.12",
    "cloudfront-viewer-time-zone": "Europe/London",
    "cloudfront-is-mobile-viewer": "true",
}
REQUEST = orjson.dumps(
    {"query": "query Page($slug: String!) { page(slug: $slug) { title } }", "variables": {"slug": "home"}}
)


def microseconds(call: Callable[[], Any], times: int, rounds: int = 5) -> float:
    """CPU time of one call, the best round."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(times):
            call()
        best = min(best, time.process_time() - started)
    return best / times * 1e6


def main() -> None:
    started = time.process_time()
    reader = ContextReader()
    print(f"building the reader: {(time.process_time() - started) * 1e3:.0f} ms")
    base = microseconds(lambda: orjson.loads(REQUEST), 20_000)
    print(f"{'orjson.loads of a small request':<52}{base:8.2f} us\n")
    for name, call, times in (*warm(reader), *cold(reader)):
        took = microseconds(call, times)
        print(f"{name:<52}{took:8.2f} us {took / base:8.1f} x")


def warm(reader: ContextReader) -> list[tuple[str, Callable[[], Any], int]]:
    everything = CHROME | CLOUDFRONT
    database = CountryDatabase(COUNTRY_DATABASE)
    return [
        ("warm: read, browser and address", lambda: reader.read(CHROME, ADDRESS, None, NOW), 5000),
        ("warm: read, browser behind CloudFront", lambda: reader.read(everything, ADDRESS, None, NOW), 5000),
        ("warm: read, with explicit input", lambda: reader.read(CHROME, ADDRESS, GIVEN, NOW), 5000),
        ("warm: device", lambda: device(CHROME, True), 5000),
        ("warm: place from a CDN", lambda: cdn_place(CLOUDFRONT), 5000),
        ("warm: place of an address", lambda: database.find(ADDRESS), 5000),
        ("warm: local time", lambda: time_facts(NOW, "Europe/London"), 5000),
        ("warm: checking explicit input", lambda: check_given(GIVEN), 5000),
    ]


def cold(reader: ContextReader) -> list[tuple[str, Callable[[], Any], int]]:
    number = itertools.count(1)
    database = CountryDatabase(COUNTRY_DATABASE)

    def request() -> Any:
        n = next(number)
        page = f"https://shop.example/{n}?utm_source=news"
        headers = CHROME | {"user-agent": agent(n), "accept-language": f"en-GB,de;q=0.{n}", "referer": page}
        return reader.read(headers, address(n), None, NOW)

    return [
        ("cold: read, all of it new", request, 1000),
        ("cold: User-Agent", lambda: read_agent(agent(next(number))), 1000),
        ("cold: is it a bot", lambda: is_bot(agent(next(number))), 1000),
        (
            "cold: device by hints and User-Agent",
            lambda: device({**CHROME, "user-agent": agent(next(number))}, True),
            1000,
        ),
        ("cold: place of an address", lambda: database.find(address(next(number))), 1000),
        ("cold: languages", lambda: accepted_languages(f"en-GB,en;q=0.9,de;q=0.{next(number)}"), 1000),
        ("cold: page", lambda: url_facts(f"https://shop.example/{next(number)}?utm_source=news"), 1000),
    ]


def agent(n: int) -> str:
    return f"Mozilla/5.0 (Linux; Android 13; Pixel {n}) AppleWebKit/537.36 Chrome/112.0.0.{n} Mobile Safari/537.36"


def address(n: int) -> str:
    return str(IPv4Address(0x51000000 + n * 257))


if __name__ == "__main__":
    main()
