"""What deciding a page costs: 8 slots of 20 variants each and a feed of 10 from 10,000 blocks, core only.

    python benchmarks/deciding.py

A warm visitor has a profile of 300 names for whom this page was chosen before; after an event nothing is
ranked yet. Beside it, in the same run: `orjson.dumps` of the data that was chosen, and the plain way to choose
the page (the same conditions, one feed ranked in advance for everybody, no reasons, no fallbacks). Then what it
takes to compile a catalogue of 100,000 variants. CPU time, not wall time.
"""

import gc
import random
import sys
import tracemalloc
from collections.abc import Callable, Mapping
from time import process_time
from types import SimpleNamespace
from typing import Any, cast

import orjson
from threadpoolctl import threadpool_limits

from gateway.api import words
from gateway.api.inputs import context_of
from gateway.api.request import Request
from gateway.core.asking import Ask, ask_of
from gateway.core.catalogue import Catalogue, Entry, compile_catalogue
from gateway.core.context import COUNTRY_DATABASE, ContextReader
from gateway.core.editions import Edition
from gateway.core.events import Event
from gateway.core.memory import Learning, remember
from gateway.core.personalize import choose_page
from gateway.core.profiles import Profile, moved, stranger
from gateway.core.pseudonyms import Pseudonym
from gateway.core.sealing import Sealer
from gateway.core.signals import Signals
from gateway.services.deliver import Asked, Delivery
from gateway.settings import Settings
from schemas.pages import page_types
from schemas.requests import ContextInput, DeviceInput
from schemas.typed_blocks import content_types
from schemas.vocabulary import Purpose

NOW = 1_796_500_000.0
LEARNING = Learning()
SLOTS, VARIANTS, ARTICLES = 8, 20, 10_000
HEADERS = {
    "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1",
    "cloudfront-viewer-country": "GB",
    "accept-language": "en-GB,en;q=0.9",
}
WHO = ["mobile", "tablet", "desktop", "tv"]
WHERE = ["DE", "FR", "NO", "SE", "US", "IT", "ES", "PL", "GB"]
CLAUSES: list[Callable[[random.Random], dict[str, Any]]] = [
    lambda rng: {"device.type": rng.choice(WHO)},
    lambda rng: {"geo.country": rng.choice(WHERE)},
    lambda rng: {"geo.country": {"$in": rng.sample(WHERE, 3)}},
    lambda rng: {"time.hour": {"$gte": rng.randrange(6, 22)}},
    lambda rng: {"time.weekday": {"$in": ["sat", "sun"]}},
    lambda rng: {"visitor.visits": {"$gt": rng.randrange(1, 9)}},
    lambda rng: {"segments": {"$in": [rng.choice(["night-owl", "keen", "abroad"])]}},
    lambda rng: {f"interests.tag{rng.randrange(60)}": {"$gte": 0.3}},
    lambda rng: {"page.utm.source": rng.choice(["news", "ads", "mail"])},
    lambda rng: {"device.osVersion": {"$vgte": "18.0"}},
]
SEGMENTS = {
    "night-owl": {"time.hour": {"$gte": 21}},
    "keen": {"engagement.score": {"$gt": 90}},
    "abroad": {"geo.country": {"$nin": ["GB", "IE"]}},
}


def main() -> None:
    rng = random.Random(7)
    edition = Edition(compile_catalogue(1, entries_of(rng)), Signals())
    reader = ContextReader(COUNTRY_DATABASE)
    context = reader.read(HEADERS, None, {"url": "https://x.example/?utm_source=news"}, NOW, {"slug": "home"})
    states = visited(edition.catalogue, rng)

    def decide(profile: Profile | None) -> Any:
        ask = ask_of(
            edition.catalogue, context.facts, context.locales, profile, (Purpose.PERSONALIZATION,), 0.5
        )
        return choose_page(edition, edition.catalogue.pages["home"], ask)

    page = decide(states[0])
    assert not page.failures
    data = [choice.variant.data for choices in page.picks.values() for choice in choices]
    ask = ask_of(edition.catalogue, context.facts, context.locales, states[0], (), 0.5)
    plain = plainly(edition, ask)
    assert len(data) == SLOTS + 10
    print(
        f"{SLOTS} slots of {VARIANTS} variants and 10 of {ARTICLES:,} articles, {len(orjson.dumps(data)):,} bytes"
    )

    after = iter(states[1:])
    report("orjson.dumps of what was chosen", dumps := micro(lambda: orjson.dumps(data)), dumps)
    report("chosen plainly", micro(plain), dumps)
    report("decided, warm", micro(lambda: decide(states[0])), dumps)
    report("decided, a stranger's", micro(lambda: decide(None)), dumps)
    whole = answering(edition, reader, states[0])
    report("context, decided and worded, warm", micro(whole), dumps)
    report("the same with decision ids", micro(lambda: whole("decision")), dumps)
    report("the same with reasons", micro(lambda: whole("reason"), 200), dumps)
    report("the same with all candidates", micro(lambda: whole("reason", "candidates"), 50), dumps)
    report("decided right after an event", micro(lambda: decide(next(after)), runs=len(states) - 2), dumps)
    if "--pages" not in sys.argv:
        large()


def entries_of(rng: random.Random) -> list[Entry]:
    blocks = [article(rng, i) for i in range(ARTICLES)]
    blocks += [
        {
            **article(rng, i),
            "key": f"fixed{i}",
            "type": "Fixed",
            "variants": [variant(rng, j) for j in range(VARIANTS - 1)],
        }
        for i in range(SLOTS)
    ]
    slots: list[dict[str, Any]] = [
        {"name": f"slot{i}", "strategy": "interest" if i % 4 == 3 else "rules", "block": f"fixed{i}"}
        for i in range(SLOTS)
    ]
    slots.append({"name": "feed", "strategy": "feed", "where": {"type": "Article"}, "limit": 10})
    return [
        *(
            entry("blockType", name, {"name": name, "schema": {"type": "object"}})
            for name in ("Article", "Fixed")
        ),
        *(entry("segment", key, {"key": key, "name": key, "when": when}) for key, when in SEGMENTS.items()),
        *(entry("block", block["key"], block) for block in blocks),
        entry("page", "home", {"slug": "home", "title": "Home", "slots": slots}),
    ]


def entry(kind: str, key: str, document: Mapping[str, Any]) -> Entry:
    return Entry(kind, key, 1, orjson.dumps(document))


def article(rng: random.Random, number: int) -> dict[str, Any]:
    return {
        "key": f"article{number:06}",
        "type": "Article",
        "tags": {f"tag{rng.randrange(60)}": 1.0 for _ in range(5)},
        "data": {"headline": sentence(rng, 8), "text": sentence(rng, 40), "url": f"/a/{number}"},
        "published": "2026-11-01T00:00:00Z",
    }


def variant(rng: random.Random, number: int) -> dict[str, Any]:
    """Two or three clauses, most of which hold for few."""
    when: dict[str, Any] = {}
    for clause in rng.sample(CLAUSES, rng.choice([2, 2, 3])):
        when |= clause(rng)
    tags = {f"tag{rng.randrange(60)}": 1.0}
    return {"key": f"v{number}", "when": when, "tags": tags, "patch": {"headline": sentence(rng, 6)}}


def sentence(rng: random.Random, length: int) -> str:
    """Words as frequent as in real copy."""
    return " ".join(f"word{int(5000 * rng.random() ** 3)}" for _ in range(length))


def visited(catalogue: Catalogue, rng: random.Random) -> list[Profile]:
    """A visitor's state after thirty views, and after each of 200 more."""
    profile = stranger("v", LEARNING)
    states = []
    for number in range(1, 231):
        block = catalogue.blocks[rng.randrange(ARTICLES)].key
        event = Event(f"e{number}", "view", "v", NOW - 600 + number, block)
        move = remember([(event, catalogue.features(block, None))], LEARNING)
        profile = moved(profile, "p", [(number, move)])
        states.append(profile)
    return states[30:]


class Known:
    """One profile, as it stands in memory."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def cached(self, visitor: str, at_least: Any) -> Profile:
        return self._profile


def answering(edition: Edition, reader: ContextReader, profile: Profile) -> Callable[..., object]:
    """All that a page query does besides HTTP and GraphQL, for the fields that it selects."""
    contents = content_types({name: kind.schema for name, kind in edition.catalogue.types.items()})
    types = page_types(tuple(contents.values()))
    anything = cast(Any, SimpleNamespace(reader=reader, secret=b"benchmark"))
    request = Request(anything, anything, anything, edition, types, contents, HEADERS, "81.2.69.142")
    delivery = Delivery(cast(Any, Known(profile)), Settings(), Sealer([bytes(32)]))
    given = ContextInput(
        device=DeviceInput(type="mobile"), timezone="Europe/London", url="https://x.example/?utm_source=news"
    )
    plainly_asked = {"key", "type", "variant", "position", "score", "data"}

    def answer(*more: str) -> object:
        asked = Asked(context_of(request, given, {"slug": "home"}), Pseudonym("v"), called="v")
        try:
            delivery.page(edition, "home", asked).send(None)
        except StopIteration as found:  # a warm profile waits for nothing
            return words.page(request, found.value, frozenset({*plainly_asked, *more}), "made.1")
        raise AssertionError("it waited")

    return answer


def plainly(edition: Edition, ask: Ask) -> Callable[[], object]:
    fixed = [slot.block.variants for slot in edition.catalogue.pages["home"].slots if slot.block]
    popular = edition.catalogue.blocks[:10]
    facts = ask.facts

    def choose() -> object:
        chosen = [next(v for v in variants if v.eligibility.matches(facts)) for variants in fixed]
        return chosen + [next(v for v in block.variants if v.eligibility.matches(facts)) for block in popular]

    return choose


def large(blocks: int = 20_000, variants: int = 5) -> None:
    """20,000 blocks of five variants: how long to compile, and what is kept beyond the content itself."""
    rng = random.Random(11)
    documents = [
        {**article(rng, i), "variants": [variant(rng, j) for j in range(variants - 1)]} for i in range(blocks)
    ]
    entries = [entry("blockType", "Article", {"name": "Article", "schema": {"type": "object"}})]
    entries += [entry("block", document["key"], document) for document in documents]
    content = sum(len(one.body) for one in entries)
    del documents
    started = process_time()
    catalogue = compile_catalogue(1, entries)
    compiling = process_time() - started
    changed = [*entries[:-1], Entry("block", entries[-1].key, 2, entries[-1].body)]
    started = process_time()
    compile_catalogue(2, changed, previous=catalogue)
    again = process_time() - started
    del catalogue
    gc.collect()
    tracemalloc.start()
    catalogue = compile_catalogue(1, entries)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    data = [sys.getsizeof(variant.body) for block in catalogue.blocks for variant in block.variants]
    count = len(data)
    print(f"\ncatalogue of {count:,} variants, {content / count:,.0f} bytes of JSON each")
    print(f"{'compiled in':34}{compiling:>10.2f} s")
    print(f"{'one block changed':34}{again:>10.2f} s")
    print(f"{'held':34}{held / count:>10,.0f} bytes a variant")
    print(f"{'of which its data, as JSON':34}{sum(data) / count:>10,.0f}")
    print(f"{'beyond its content':34}{(held - sum(data)) / count:>10,.0f}")


def micro(call: Callable[[], object], runs: int = 2_000) -> float:
    """CPU microseconds of one call: the best of five batches, or of as many as the runs allow."""
    call()
    batch = max(1, runs // 5)
    best = float("inf")
    for _ in range(min(5, runs)):
        started = process_time()
        for _ in range(batch):
            call()
        best = min(best, (process_time() - started) / batch)
    return best * 1e6


def report(what: str, taken: float, base: float) -> None:
    print(f"{what:34}{taken:>10,.1f} us{taken / base:>8,.1f}x")


if __name__ == "__main__":
    with threadpool_limits(1):  # as a gateway runs: one process, one core
        main()
