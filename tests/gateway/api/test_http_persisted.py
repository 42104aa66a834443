"""Documents that are asked for by their hash, or by the id under which they are trusted."""

import json
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from gateway.app import build_app
from tests.gateway.api.test_bad_input import BUNDLE
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW, OLD, STREAM = "application/graphql-response+json", "application/json", "text/event-stream"
QUERY = '{ page(slug: "home") { slug } }'
ANSWER = {"data": {"page": {"slug": "home"}}}
TRUSTED = "query Home($slug: String!) { page(slug: $slug) { slug } }"
TWO = 'query A { page(slug: "home") { slug } } query B { page(slug: "nowhere") { slug } }'
LIVE = 'subscription { page(slug: "home", visitor: "v") { slug } }'
CHANGE = 'mutation { track(events: [{type: "view", visitor: "v"}]) { accepted } }'
MANIFEST = {"c0ffee": TRUSTED, "two": TWO, "live": LIVE, "change": CHANGE}


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def persisted(hashed: Any, version: Any = 1) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": version, "sha256Hash": hashed}}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, "persisted", alone=True) as running:
        await running.load(BUNDLE)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(found: Live) -> Client:
    return await found.client()


@pytest.fixture(scope="module", params=[False, True], ids=["any", "only"])
def only(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trusting(
    engine_url: str, only: bool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    """A gateway with a manifest; with `only`, it executes nothing else."""
    path = tmp_path_factory.mktemp("trusted") / "persisted-documents.json"
    path.write_text(json.dumps(MANIFEST))
    async with live(
        engine_url, f"trusting{only}".lower(), alone=True, trusted_documents=path, only_trusted=only
    ) as running:
        await running.load(BUNDLE)
        yield await running.client()


async def post(client: Client, body: Mapping[str, Any], accept: str = NEW) -> httpx.Response:
    return await client.http.post("/graphql", json=body, headers={**client.headers, "accept": accept})


async def get(client: Client, body: Mapping[str, Any], accept: str = NEW) -> httpx.Response:
    params = {name: orjson.dumps(v).decode() if isinstance(v, dict) else v for name, v in body.items()}
    return await client.http.get("/graphql", params=params, headers={**client.headers, "accept": accept})


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


# --- automatic persisted queries ---


@pytest.mark.parametrize("ask", [post, get])
async def test_a_query_is_known_by_its_hash_once_it_was_sent(client: Client, ask: Any) -> None:
    query = QUERY + f" # {ask.__name__}"
    by_hash = persisted(digest(query))
    assert said(await ask(client, by_hash)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert (await ask(client, {"query": query, **by_hash})).json() == ANSWER
    for other in (post, get):
        assert (await other(client, by_hash)).json() == ANSWER
    assert (await post(client, {"documentId": f"sha256:{digest(query)}"})).json() == ANSWER


async def test_what_is_not_known_is_said_as_each_media_type_says_it(client: Client) -> None:
    unknown = persisted("0" * 64)
    for accept, status in ((NEW, 400), (OLD, 200), (STREAM, 400)):
        answer = await post(client, unknown, accept)
        assert (said(answer), "data" in answer.json()) == ((status, "PERSISTED_QUERY_NOT_FOUND"), False)
    missed = await get(client, unknown)
    assert missed.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("hashed", [digest("{ other }"), digest(QUERY).upper(), "x" * 64, "abc", "sha256:0"])
async def test_a_hash_that_is_not_the_querys_is_refused(client: Client, hashed: str) -> None:
    assert said(await post(client, {"query": QUERY, **persisted(hashed)})) == (400, "BAD_INPUT")
    assert said(await post(client, persisted(hashed))) == (400, "PERSISTED_QUERY_NOT_FOUND")


@pytest.mark.parametrize("query", ["{ nonsense }", "{", "query A { __typename } query B { __typename }"])
async def test_what_cannot_be_executed_is_not_kept(client: Client, query: str) -> None:
    by_hash = persisted(digest(query))
    assert said(await post(client, {"query": query, **by_hash}))[1].startswith("GRAPHQL_")
    assert said(await post(client, by_hash)) == (400, "PERSISTED_QUERY_NOT_FOUND")


async def test_a_hash_says_nothing_of_rights_and_methods(found: Live, client: Client) -> None:
    by_hash = persisted(digest(CHANGE))
    assert (await post(client, {"query": CHANGE, **by_hash})).json()["data"] == {"track": {"accepted": 1}}
    assert said(await get(client, by_hash)) == (405, "BAD_INPUT")
    assert said(await post(found.nobody, by_hash)) == (401, "UNAUTHENTICATED")


BAD: Mapping[str, Mapping[str, Any]] = {
    "a text": {"extensions": {"persistedQuery": "x"}},
    "a list": {"extensions": {"persistedQuery": []}},
    "no version": {"extensions": {"persistedQuery": {"sha256Hash": "0" * 64}}},
    "another version": persisted("0" * 64, 2),
    "a version in letters": persisted("0" * 64, "1"),
    "no hash": {"extensions": {"persistedQuery": {"version": 1}}},
    "a hash that is a number": persisted(5),
    "a hash that is null": persisted(None),
    "a hash that is empty": persisted(""),
    "a hash that is a list": persisted(["0" * 64]),
    "a very long hash": persisted("0" * 10_000),
    "an id that is a number": {"documentId": 5},
    "an id that is empty": {"documentId": ""},
    "a very long id": {"documentId": "x" * 10_000},
    "an id that is an object": {"documentId": {}},
    "an id and a hash": {"documentId": "x", **persisted("0" * 64)},
    "an id and a query": {"documentId": "x", "query": QUERY},
    "extensions that are a list": {"extensions": []},
    "a query that is a number, with a hash": {"query": 5, **persisted("0" * 64)},
    "a query of spaces, with a hash": {"query": "  ", **persisted("0" * 64)},
    "nothing in extensions": {"extensions": {}},
    "null in extensions": {"extensions": {"persistedQuery": None}},
    "an id that is null": {"documentId": None},
}


@pytest.mark.parametrize("name", BAD)
async def test_a_name_of_a_document_that_is_none_is_refused(client: Client, name: str) -> None:
    for accept in (NEW, OLD, STREAM):
        assert said(await post(client, BAD[name], accept)) == (400, "BAD_INPUT")


async def test_a_space_with_other_types_knows_only_what_it_was_told(found: Live, client: Client) -> None:
    await found.load({"blockTypes": [{"name": "Own", "schema": {"type": "object"}}]}, "other")
    other = await found.client(space="other")
    query = '{ __type(name: "Own") { name } }'
    by_hash = persisted(digest(query))
    assert (await post(client, {"query": query, **by_hash})).json() == {"data": {"__type": None}}
    assert said(await post(other, by_hash)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert (await post(other, {"query": query, **by_hash})).json() == {"data": {"__type": {"name": "Own"}}}
    assert (await post(client, by_hash)).json() == {"data": {"__type": None}}


# --- trusted documents ---


@pytest.mark.parametrize("name", ["c0ffee", "sha256:c0ffee"])
@pytest.mark.parametrize("ask", [post, get])
async def test_a_trusted_document_is_asked_for_by_its_id(trusting: Client, ask: Any, name: str) -> None:
    variables = {"variables": {"slug": "home"}}
    assert (await ask(trusting, {"documentId": name, **variables})).json() == ANSWER
    assert (await ask(trusting, {**persisted(name), **variables})).json() == ANSWER
    assert (await ask(trusting, {"documentId": name, "operationName": "Home", **variables})).json() == ANSWER
    assert (await ask(trusting, {"query": TRUSTED, **variables})).json() == ANSWER


async def test_an_operation_of_a_trusted_document_is_chosen_by_name(trusting: Client) -> None:
    assert (await post(trusting, {"documentId": "two", "operationName": "A"})).json() == ANSWER
    assert (await post(trusting, {"documentId": "two", "operationName": "B"})).json() == {
        "data": {"page": None}
    }
    assert said(await post(trusting, {"documentId": "two"}))[0] == 400


async def test_a_trusted_subscription_streams_and_a_mutation_needs_post(trusting: Client) -> None:
    headers = {**trusting.headers, "accept": STREAM}
    async with trusting.http.stream("GET", "/graphql?documentId=live", headers=headers) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                assert orjson.loads(line[5:])["data"] == {"page": {"slug": "home"}}
                break
    assert said(await get(trusting, {"documentId": "change"})) == (405, "BAD_INPUT")
    assert (await post(trusting, {"documentId": "change"})).json()["data"] == {"track": {"accepted": 1}}


async def test_where_only_trusted_documents_are_executed_nothing_else_is(
    trusting: Client, only: bool
) -> None:
    hashed = {"query": QUERY, **persisted(digest(QUERY))}
    for accept, status in ((NEW, 400), (OLD, 200)):
        for body in ({"query": QUERY}, hashed, {"query": TRUSTED + " "}, {"query": "{ __typename }"}):
            answer = await post(trusting, {**body, "variables": {"slug": "home"}}, accept)
            if only:
                assert said(answer) == (status, "UNTRUSTED_DOCUMENT")
            else:
                assert "errors" not in answer.json()
    if only:
        assert said(await post(trusting, {"query": QUERY}, STREAM)) == (400, "UNTRUSTED_DOCUMENT")
        assert said(await post(trusting, persisted(digest(QUERY)))) == (400, "PERSISTED_QUERY_NOT_FOUND")
    else:
        assert "event: next" in (await post(trusting, {"query": QUERY}, STREAM)).text
        assert (await post(trusting, persisted(digest(QUERY)))).json() == ANSWER


async def test_open_access_is_open_to_any_document(engine_url: str, tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "none.json"
    path.write_text("{}")
    async with live(engine_url, prefix, alone=True, trusted_documents=path, only_trusted=True) as running:
        await running.load(BUNDLE)
        transport = httpx.ASGITransport(build_app(running.gateway, open_access=True))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.post("/graphql", json={"query": QUERY})).json() == ANSWER
        assert said(await post(await running.client(), {"query": QUERY})) == (400, "UNTRUSTED_DOCUMENT")
