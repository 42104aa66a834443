"""Whatever is sent, the answer is a coded error, soon, and the store is as it was."""

import time
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from gateway.core.personalize import STRATEGIES
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATABASE = "badinput"
KEPT = ("events", "profiles", "drafts", "published", "revisions", "pointers")
PROMPT = 1.0  # seconds of CPU that a refusal may take, of the client too: both are this process
BUNDLE: dict[str, Any] = {
    "blockTypes": [
        {"name": "Card", "schema": {"type": "object", "properties": {"title": {"type": "string"}}}}
    ],
    "blocks": [{"key": "card", "type": "Card", "tags": {"a": 1.0}, "data": {"title": "hello"}}],
    "pages": [
        {"slug": "home", "title": "Home", "slots": [{"name": "s", "strategy": "rules", "block": "card"}]}
    ],
}
LISTS = {"type": "object", "properties": {"parts": {}}}
LIST = "<ul>{% for part in data.parts %}<li>{{ part }}</li>{% endfor %}</ul>"
FAILING: dict[str, Any] = {
    "blockTypes": [{"name": "List", "schema": LISTS, "template": LIST}],
    "blocks": [
        {"key": "listing", "type": "List", "data": {"parts": 5}},
        {"key": "list", "type": "List", "data": {"parts": ["a"]}},
    ],
    "pages": [
        {
            "slug": "failing",
            "title": "Failing",
            "slots": [
                {"name": "a", "strategy": "interest", "block": "card"},
                {"name": "b", "strategy": "rules", "block": "listing"},
                {"name": "c", "strategy": "rules", "block": "list"},
            ],
        }
    ],
}
TRACK = (
    "mutation($events: [EventInput!]!) { track(events: $events)"
    " { accepted duplicates rejected { index code } visitors { id } } }"
)
IDENTIFY = "mutation($v: ID!, $traits: JSON!) { identify(visitor: $v, traits: $traits) { id } }"
PAGE = (
    'query($s: String! = "home", $v: ID, $c: ContextInput, $a: String, $p: PreviewInput)'
    " { page(slug: $s, visitor: $v, context: $c, atLeast: $a, preview: $p) { slug } }"
)
SAVE = "mutation($b: BlockInput!) { saveBlock(block: $b) { item { key } } }"
TYPE = "mutation($t: BlockTypeInput!) { saveBlockType(blockType: $t) { item { key } } }"
TRY = "query($c: JSON!, $f: JSON!) { tryCondition(condition: $c, facts: $f) { matches problems { code } } }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, DATABASE, alone=True, refresh_seconds=30) as running:
        await running.load(BUNDLE)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(found: Live) -> Client:
    return await found.client()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(found: Live, engine_url: str) -> AsyncIterator[AsyncIOMotorDatabase[dict[str, Any]]]:
    """What `found` keeps, past it."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(engine_url)
    yield client[f"{DATABASE}_main"]
    client.close()


@pytest_asyncio.fixture(loop_scope="module")
async def untouched(database: AsyncIOMotorDatabase[dict[str, Any]]) -> AsyncIterator[None]:
    """Nothing that is kept of visitors and content changes in this test."""

    async def everything() -> dict[str, Any]:
        return {name: await database[name].find({}).to_list(None) for name in KEPT}

    before = await everything()
    yield
    assert await everything() == before


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def event(**fields: Any) -> dict[str, Any]:
    return {"type": "view", "visitor": "v", "block": "card", **fields}


REQUESTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown field": ("{ page(slug: \"home\") { nonsense } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "unknown argument": ("{ page(slug: \"home\", who: 1) { slug } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "unknown field of an input": (PAGE, {"c": {"devices": {}}}, "GRAPHQL_VALIDATION_FAILED"),
    "no document": ("}{", {}, "GRAPHQL_PARSE_FAILED"),
    "a missing variable": (IDENTIFY, {"v": "v"}, "GRAPHQL_VALIDATION_FAILED"),
    "a text for a list": (TRACK, {"events": "view"}, "GRAPHQL_VALIDATION_FAILED"),
    "a number for a text": (PAGE, {"s": 5}, "GRAPHQL_VALIDATION_FAILED"),
    "an object for an id": (PAGE, {"v": {"$ne": ""}}, "GRAPHQL_VALIDATION_FAILED"),
    "a list for an id": (PAGE, {"v": ["v"]}, "GRAPHQL_VALIDATION_FAILED"),
    "an empty visitor": (PAGE, {"v": ""}, "BAD_INPUT"),
    "a visitor of 10 KB": (PAGE, {"v": "v" * 10_240}, "BAD_INPUT"),
    "a visitor with a NUL": (PAGE, {"v": "a\0b"}, "BAD_INPUT"),
    "a visitor with an escape": (PAGE, {"v": "a\x1b[2J"}, "BAD_INPUT"),
    "a visitor with a lone surrogate": ('{ page(slug: "home", visitor: "\\uD800") { slug } }', {},
                                        "GRAPHQL_PARSE_FAILED"),
    "a version that is none": (PAGE, {"v": "v", "a": "yesterday"}, "BAD_INPUT"),
    "a version of very many processes": (
        PAGE, {"v": "v", "a": ".".join(f"p{n}-1" for n in range(9_999))}, "BAD_INPUT"),
    "a version of a huge number": (PAGE, {"v": "v", "a": "p-" + "9" * 5_000}, "BAD_INPUT"),
    "the year 1": (PAGE, {"c": {"time": "0001-01-01T00:00:00Z"}}, "BAD_INPUT"),
    "the year 1 far east": (PAGE, {"c": {"time": "0001-01-01T00:00:00+14:00"}}, "BAD_INPUT"),
    "the year 9999": (PAGE, {"c": {"time": "9999-12-31T23:59:59-12:00"}}, "BAD_INPUT"),
    "before 1970": (PAGE, {"c": {"time": "1969-07-20T20:17:40Z"}}, "BAD_INPUT"),
    "a leap second": (PAGE, {"c": {"time": "2016-12-31T23:59:60Z"}}, "GRAPHQL_VALIDATION_FAILED"),
    "no date": (PAGE, {"c": {"time": "soon"}}, "GRAPHQL_VALIDATION_FAILED"),
    "an unknown zone": (PAGE, {"c": {"timezone": "../../etc/passwd"}}, "BAD_INPUT"),
    "an unknown country": (PAGE, {"c": {"geo": {"country": "UK"}}}, "BAD_INPUT"),
    "a place off the globe": (PAGE, {"c": {"geo": {"lat": 91, "lon": 0}}}, "BAD_INPUT"),
    "a locale that is none": (PAGE, {"c": {"locale": "$where"}}, "BAD_INPUT"),
    "an address that is none": (PAGE, {"c": {"url": "http://[::1"}}, "BAD_INPUT"),
    "attributes as a list": (PAGE, {"c": {"attributes": [1]}}, "BAD_INPUT"),
    "deep attributes": (PAGE, {"c": {"attributes": nested(500)}}, "BAD_INPUT"),
    "attributes of more than 64 bits": ("{ page(slug: \"home\", context: {attributes: {n: 9" + 30 * "9"
                                        + "}}) { slug } }", {}, "BAD_INPUT"),
    "endless attributes": ('{ page(slug: "home", context: {attributes: {n: 1e999}}) { slug } }', {}, "BAD_INPUT"),
    "endless degrees": ('{ page(slug: "home", context: {geo: {lat: 1e999, lon: 0}}) { slug } }', {}, "BAD_INPUT"),
    "interests as a list": (PAGE, {"p": {"interests": [1]}}, "BAD_INPUT"),
    "interests as texts": (PAGE, {"p": {"interests": {"a": "much"}}}, "BAD_INPUT"),
    "endless interests": ('{ page(slug: "home", preview: {interests: {a: 1e999}}) { slug } }', {}, "BAD_INPUT"),
    "a list that begins before its start": ("{ recommendations(first: -1) { edges { cursor } } }", {},
                                            "BAD_INPUT"),
    "more than a page of a list": ("{ recommendations(first: 101) { edges { cursor } } }", {}, "BAD_INPUT"),
    "more than 32 bits": ("{ recommendations(first: 4294967296) { edges { cursor } } }", {}, "TOO_COMPLEX"),
    "a cursor that is none": ('{ recommendations(after: "x:\u0663") { edges { cursor } } }', {}, "BAD_INPUT"),
    "too many events": (TRACK, {"events": [event()] * 501}, "TOO_LARGE"),
    "traits as a list": (IDENTIFY, {"v": "v", "traits": ["gold"]}, "BAD_INPUT"),
    "deep traits": (IDENTIFY, {"v": "v", "traits": nested(900)}, "TOO_LARGE"),
    "big traits": (IDENTIFY, {"v": "v", "traits": {"a": "x" * 40_000}}, "TOO_LARGE"),
    "many traits": (IDENTIFY, {"v": "v", "traits": {f"t{n}": n for n in range(101)}}, "BAD_INPUT"),
    "traits of more than 64 bits": ('mutation { identify(visitor: "v", traits: {n: 9' + 30 * "9"
                                    + "}) { id } }", {}, "BAD_INPUT"),
    "consent to nothing": ('mutation { consent(visitor: "v", purposes: [], granted: true) { id } }', {},
                           "BAD_INPUT"),
    "consent to the unknown": ('mutation { consent(visitor: "v", purposes: [ALL], granted: true) { id } }', {},
                               "GRAPHQL_VALIDATION_FAILED"),
    "a nameless block": (SAVE, {"b": {"key": "", "type": "Card", "data": {}}}, "INVALID_CONTENT"),
    "a block with a dotted key": (SAVE, {"b": {"key": "a.$b", "type": "Card", "data": {}}}, "INVALID_CONTENT"),
    "a block of an unknown type": (SAVE, {"b": {"key": "k", "type": "Nope", "data": {}}}, "INVALID_CONTENT"),
    "a block that breaks its schema": (SAVE, {"b": {"key": "k", "type": "Card", "data": {"title": 5}}},
                                       "INVALID_CONTENT"),
    "a block with data of no object": (SAVE, {"b": {"key": "k", "type": "Card", "data": 5}}, "INVALID_CONTENT"),
    "deep data": (SAVE, {"b": {"key": "k", "type": "Card", "data": nested(900)}}, "INVALID_CONTENT"),
    "data of more than 64 bits": ('mutation { saveBlock(block: {key: "k", type: "Card", data: {n: 9' + 30 * "9"
                                  + "}}) { item { key } } }", {}, "BAD_INPUT"),
    "endless data": ('mutation { saveBlock(block: {key: "k", type: "Card", data: {n: 1e999}}) { item { key } } }', {},
                   "BAD_INPUT"),
    "a tag without a name": (SAVE, {"b": {"key": "k", "type": "Card", "data": {}, "tags": {"": 1}}},
                             "INVALID_CONTENT"),
    "endless tags": (('mutation { saveBlock(block: {key: "k", type: "Card", data: {}, tags: {a: 1e999}})'
                      " { item { key } } }"), {}, "BAD_INPUT"),
    "a type whose schema is none": (TYPE, {"t": {"name": "T", "schema": {"type": 5}}}, "INVALID_CONTENT"),
    "a type whose schema is a number": (TYPE, {"t": {"name": "T", "schema": 5}}, "INVALID_CONTENT"),
    "a deep schema": (TYPE, {"t": {"name": "T", "schema": nested(900)}}, "INVALID_CONTENT"),
    "an unknown kind": ('{ content(kind: NOPE) { edges { cursor } } }', {}, "GRAPHQL_VALIDATION_FAILED"),
    "facts as a list": (TRY, {"c": {}, "f": [1]}, "BAD_INPUT"),
    "a schedule in the year 1": (
        'mutation { schedule(items: [{kind: BLOCK, key: "card"}], at: "0001-01-01T00:00:00+14:00") { key } }',
        {}, "CONFLICT"),
    "a revision that never was": ("mutation { rollback(revision: -5) { revision } }", {}, "NOT_FOUND"),
    "a token of nobody": ('mutation { revokeToken(id: "") }', {}, "NOT_FOUND"),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
async def test_what_cannot_be_right_is_refused(client: Client, untouched: None, name: str) -> None:
    query, variables, code = REQUESTS[name]
    started = time.process_time()
    refused = await client.refused(query, **variables)
    assert (refused["code"], time.process_time() - started < PROMPT) == (code, True), refused


EVENTS: dict[str, tuple[dict[str, Any], str]] = {
    "no type": ({"type": ""}, "BAD_INPUT"),
    "an odd type": ({"type": "$where"}, "BAD_INPUT"),
    "a reserved type": ({"type": "consent"}, "BAD_INPUT"),
    "no visitor": ({"visitor": ""}, "BAD_INPUT"),
    "a visitor of 10 KB": ({"visitor": "v" * 10_240}, "BAD_INPUT"),
    "a control character": ({"block": "a\nb"}, "BAD_INPUT"),
    "an empty id": ({"id": ""}, "BAD_INPUT"),
    "a value beyond sums": ({"value": 1e300}, "BAD_INPUT"),
    "deep properties": ({"properties": nested(900)}, "TOO_LARGE"),
    "big properties": ({"properties": {"a": "x" * 40_000}}, "TOO_LARGE"),
    "properties as a list": ({"properties": [1]}, "BAD_INPUT"),
    "the year 1": ({"occurredAt": "0001-01-01T00:00:00+14:00"}, "BAD_TIME"),
    "the year 9999": ({"occurredAt": "9999-12-31T23:59:59-12:00"}, "BAD_TIME"),
    "before 1970": ({"occurredAt": "1969-07-20T20:17:40Z"}, "BAD_TIME"),
}


@pytest.mark.parametrize("name", EVENTS)
async def test_an_event_that_cannot_be_right_is_rejected_alone(
    client: Client, untouched: None, name: str
) -> None:
    fields, code = EVENTS[name]
    answer = await client.ask(TRACK, events=[event(**fields)])
    assert answer["track"]["rejected"] == [{"index": 0, "code": code}]
    assert answer["track"]["accepted"] == 0


LITERALS = ["properties: {n: 9" + 30 * "9" + "}", "properties: {n: 1e999}", "value: 1e999", "value: -1e999"]


@pytest.mark.parametrize("literal", LITERALS)
async def test_numbers_beyond_json_are_refused(client: Client, untouched: None, literal: str) -> None:
    query = f'mutation {{ track(events: [{{type: "view", visitor: "v", {literal}}}]) {{ accepted }} }}'
    assert (await client.refused(query))["code"] == "BAD_INPUT"


HOSTILE: dict[str, Any] = {
    "$where": "while(1);",
    "__proto__": {"polluted": True},
    "a.b.c": 1,
    "": "nothing",
    "$ne": None,
    "constructor": {"prototype": {}},
    "a\0b": "\0",
    "\U0001f9ed": "\u202e",
}


async def test_hostile_names_are_only_names(client: Client) -> None:
    took = await client.ask(
        TRACK, events=[event(visitor="hostile", properties=HOSTILE), event(visitor="__proto__")]
    )
    await client.ask(IDENTIFY, v="hostile", traits=HOSTILE)
    await client.ask(PAGE, v="hostile", c={"attributes": HOSTILE})
    await client.ask(
        SAVE, b={"key": "hostile", "type": "Card", "data": HOSTILE, "tags": {"$where": 1, "a.b": 1}}
    )
    kept = await client.ask('{ contentItem(kind: BLOCK, key: "hostile") { document } }')
    shown = await client.ask('{ visitor(id: "hostile") { id interests(first: 1) { tag } } }')
    assert took["track"]["accepted"] == 2
    assert kept["contentItem"]["document"]["data"] == HOSTILE
    assert shown["visitor"] == {"id": "hostile", "interests": [{"tag": "a"}]}
    assert await client.ask('mutation { discardDraft(item: {kind: BLOCK, key: "hostile"}) }')


CONDITIONS: dict[str, Any] = {
    "a number": 5,
    "a list": [1],
    "null in it": {"device.type": {"$eq": {"$where": "1"}}},
    "an unknown operator": {"device.type": {"$where": "while(1);"}},
    "a pattern that looks back": {"device.type": {"$regex": "(a)\\1"}},
    "deep": {"$not": nested(900)},
    "wide": {"$or": [{"device.type": "mobile"}] * 5_000},
    "many groups": {"device.type": {"$in": ["x"] * 20_000}},
}


@pytest.mark.parametrize("name", CONDITIONS)
async def test_a_condition_that_cannot_be_right_has_problems(client: Client, name: str) -> None:
    started = time.process_time()
    tried = await client.ask(TRY, c=CONDITIONS[name], f={"device": {"type": "a" * 40 + "!"}})
    assert tried["tryCondition"]["matches"] is False
    assert tried["tryCondition"]["problems"]
    assert time.process_time() - started < PROMPT


AGENTS = ["", "(" * 5_000, "Mozilla/5.0 (" + "iPhone;" * 800, "%00%ff", "\xff\xfe", "a" * 8_000]


@pytest.mark.parametrize("header", ["user-agent", "accept-language", "referer", "x-forwarded-for", "sec-ch-ua",
                                    "sec-ch-ua-model", "cf-ipcountry", "cloudfront-viewer-latitude",
                                    "x-vercel-ip-city", "sec-gpc"])  # fmt: skip
async def test_odd_headers_cost_nothing_but_what_they_said(client: Client, header: str) -> None:
    for value in AGENTS:
        answer = await client.http.post(
            "/graphql",
            json={"query": PAGE, "variables": {"v": "v"}},
            headers=httpx.Headers({**client.headers, header: value}, encoding="latin-1"),
        )
        assert answer.json() == {"data": {"page": {"slug": "home"}}}


async def test_unknown_visitors_and_decisions_are_null(client: Client, untouched: None) -> None:
    query = '{ visitor(id: "nobody") { id } a: decision(id: "") { id } b: decision(id: "x-1.99999999999.-1.5") { id } }'
    assert await client.ask(query) == {"visitor": None, "a": None, "b": None}


async def test_json_that_is_nested_beyond_reason_is_no_request(client: Client, untouched: None) -> None:
    deep = (
        b'{"query": "{page(slug: \\"home\\") {slug}}", "variables": {"v": '
        + b"[" * 15_000
        + b"]" * 15_000
        + b"}}"
    )
    headers = {**client.headers, "content-type": "application/json"}
    answer = await client.http.post("/graphql", content=deep, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_INPUT")


async def test_a_slot_or_a_template_that_fails_costs_no_page(
    found: Live, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> list[Any]:
        raise ZeroDivisionError

    await found.load(FAILING)
    monkeypatch.setitem(cast(dict[str, Any], STRATEGIES), "interest", broken)
    shown = await client.ask(
        '{ page(slug: "failing") { slots { blocks { key html reason { strategy } } } } }'
    )
    assert shown["page"]["slots"] == [
        {"blocks": [{"key": "card", "html": None, "reason": {"strategy": "FALLBACK"}}]},
        {"blocks": [{"key": "listing", "html": None, "reason": {"strategy": "RULES"}}]},
        {"blocks": [{"key": "list", "html": "<ul><li>a</li></ul>", "reason": {"strategy": "RULES"}}]},
    ]
