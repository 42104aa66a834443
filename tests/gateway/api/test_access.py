"""Who may call what: each root field with each scope, and callers who are nobody."""

import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from gateway.api.schema import mutations, queries
from gateway.api.subscriptions import subscriptions
from schemas.vocabulary import Scope
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTENT = {
    "blocks": [
        {"key": "rope", "type": "RichText", "data": {"body": "a rope"}, "variants": [{"key": "blue"}]}
    ],
    "pages": [
        {"slug": "home", "title": "Home", "slots": [{"name": "s", "strategy": "rules", "block": "rope"}]}
    ],
}
NEW = 'saveBlock(block: {key: "KEY", type: "RichText", data: {body: "new"}}) { item { key } }'
NEW_ITEM = '[{kind: BLOCK, key: "KEY"}]'
SAVED = f"mutation {{ {NEW} }}"
PUBLISHED = f"mutation {{ {NEW} publish(items: {NEW_ITEM}) {{ revision }} }}"
CHOSEN = '{ page(slug: "home") { slots { blocks { decision } } } }'
GIVEN_TOKEN = 'mutation { createToken(name: "KEY", scopes: ["events"]) { info { id } } }'


@dataclass(frozen=True)
class Example:
    """A call that is right. `KEY` stands for a word that is new each time; `before` makes what it needs,
    and `names` takes the variable $id from that answer."""

    scope: Scope
    call: str
    before: str = "{ __typename }"
    names: Callable[[Any], str] = lambda _: ""


EXAMPLES = {
    "Query.page": Example(Scope.DELIVERY, '{ page(slug: "home") { title } }'),
    "Query.recommendations": Example(Scope.DELIVERY, "{ recommendations { edges { cursor } } }"),
    "Query.visitor": Example(Scope.PROFILES, '{ visitor(id: "KEY") { id } }'),
    "Query.decision": Example(
        Scope.PROFILES,
        "query ($id: ID!) { decision(id: $id) { same } }",
        CHOSEN,
        lambda found: found["page"]["slots"][0]["blocks"][0]["decision"],
    ),
    "Query.personal_data": Example(Scope.PROFILES, '{ personalData(visitor: "KEY") }'),
    "Query.audit": Example(Scope.AUDIT, "{ audit { edges { cursor } } }"),
    "Query.try_condition": Example(
        Scope.EDITOR, '{ tryCondition(condition: {segments: "x"}, facts: {}) { matches } }'
    ),
    "Query.content": Example(Scope.EDITOR, "{ content(kind: BLOCK) { edges { cursor } } }"),
    "Query.content_item": Example(Scope.EDITOR, '{ contentItem(kind: BLOCK, key: "rope") { state } }'),
    "Query.revisions": Example(Scope.EDITOR, "{ revisions { revision } }"),
    "Query.tokens": Example(Scope.ADMIN, "{ tokens { name } }"),
    "Mutation.track": Example(
        Scope.EVENTS, 'mutation { track(events: [{type: "view", visitor: "KEY"}]) { accepted } }'
    ),
    "Mutation.identify": Example(
        Scope.PROFILES, 'mutation { identify(visitor: "KEY", traits: {plan: "gold"}) { id } }'
    ),
    "Mutation.alias": Example(Scope.PROFILES, 'mutation { alias(previous: "KEYa", known: "KEYb") { id } }'),
    "Mutation.part": Example(
        Scope.PROFILES,
        'mutation { alias(previous: "KEYa", known: "KEYb") { id } part(visitor: "KEYa", known: "KEYb") { id } }',
    ),
    "Mutation.consent": Example(
        Scope.EVENTS, 'mutation { consent(visitor: "KEY", purposes: [ANALYTICS], granted: true) { id } }'
    ),
    "Mutation.forget": Example(Scope.PROFILES, 'mutation { forget(visitor: "KEY") { profiles } }'),
    "Mutation.save_block_type": Example(
        Scope.EDITOR,
        'mutation { saveBlockType(blockType: {name: "TKEY", schema: {type: "object",'
        ' properties: {a: {type: "string"}}}}) { item { key } } }',
    ),
    "Mutation.save_segment": Example(
        Scope.EDITOR,
        'mutation { saveSegment(segment: {key: "KEY", members: ["a"]}) { item { key } } }',
    ),
    "Mutation.save_block": Example(Scope.EDITOR, SAVED),
    "Mutation.save_variant": Example(
        Scope.EDITOR,
        'mutation { saveVariant(block: "KEY", variant: {key: "other", patch: {body: "x"}}) { item { key } } }',
        SAVED,
    ),
    "Mutation.save_page": Example(
        Scope.EDITOR,
        'mutation { savePage(page: {slug: "KEY", title: "New", slots: [{name: "s", strategy: "rules", block: "rope"}]})'
        " { item { key } } }",
    ),
    "Mutation.save_experiment": Example(
        Scope.EDITOR,
        'mutation { saveExperiment(experiment: {key: "KEY", block: "rope", '
        ' arms: [{variant: "default", weight: 0.5}, {variant: "blue", weight: 0.5}]}) { item { key } } }',
    ),
    "Mutation.discard_draft": Example(
        Scope.EDITOR, 'mutation { discardDraft(item: {kind: BLOCK, key: "KEY"}) }', SAVED
    ),
    "Mutation.move_drafts": Example(
        Scope.EDITOR, f'mutation {{ moveDrafts(items: {NEW_ITEM}, action: "submit") {{ state }} }}', SAVED
    ),
    "Mutation.schedule": Example(
        Scope.EDITOR,
        f'mutation {{ schedule(items: {NEW_ITEM}, at: "2100-01-01T00:00:00Z") {{ state }} }}',
        SAVED,
    ),
    "Mutation.publish": Example(
        Scope.EDITOR, f"mutation {{ publish(items: {NEW_ITEM}) {{ revision }} }}", SAVED
    ),
    "Mutation.unpublish": Example(
        Scope.EDITOR, f"mutation {{ unpublish(items: {NEW_ITEM}) {{ revision }} }}", PUBLISHED
    ),
    "Mutation.rollback": Example(Scope.EDITOR, "mutation { rollback(revision: 1) { revision } }"),
    "Mutation.create_token": Example(Scope.ADMIN, GIVEN_TOKEN),
    "Mutation.revoke_token": Example(
        Scope.ADMIN,
        "mutation ($id: ID!) { revokeToken(id: $id) }",
        GIVEN_TOKEN,
        lambda found: found["createToken"]["info"]["id"],
    ),
    "Subscription.page": Example(
        Scope.DELIVERY, 'subscription { page(slug: "home", visitor: "KEY") { title } }'
    ),
    "Subscription.visitor": Example(Scope.PROFILES, 'subscription { visitor(id: "KEY") { id } }'),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, f"t{uuid.uuid4().hex[:12]}", alone=True) as found:
        await found.load(CONTENT)
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(found: Live) -> Mapping[str, Client]:
    """One for each scope, with no other; and nobody."""
    return {scope: await found.client(scope) for scope in Scope} | {"nobody": found.nobody}


async def answer(client: Client, call: str, variables: Mapping[str, Any]) -> Any:
    """The answer, or the first one of a subscription."""
    if not call.startswith("subscription"):
        return await client.post(call, **variables)
    body = {"query": call, "variables": variables}
    headers = {**client.headers, "accept": "text/event-stream"}
    async with client.http.stream("POST", "/graphql", json=body, headers=headers) as stream:
        if stream.headers["content-type"].startswith("application/json"):
            return json.loads(await stream.aread())
        lines = stream.aiter_lines()
        first = await anext(line async for line in lines if line.startswith("data:"))
        return json.loads(first.removeprefix("data:"))


async def prepared(admin: Client, example: Example) -> tuple[str, Mapping[str, Any]]:
    word = f"k{uuid.uuid4().hex[:8]}"
    before = await admin.ask(example.before.replace("KEY", word))
    return example.call.replace("KEY", word), {"id": example.names(before)}


def code(given: Any) -> str | None:
    """What a call was refused with; None when it was answered."""
    return given["errors"][0]["extensions"]["code"] if "errors" in given else None


async def test_every_root_field_has_an_example_and_a_scope() -> None:
    fields = {
        f"{root.name}.{field.name}": field.scope
        for root in (queries, mutations, subscriptions)
        for field in root.fields
    }
    assert fields == {name: example.scope for name, example in EXAMPLES.items()}


@pytest.mark.parametrize("name", EXAMPLES)
async def test_a_root_field_answers_its_own_scope_and_admin_alone(
    clients: Mapping[str, Client], name: str
) -> None:
    example, admin = EXAMPLES[name], clients[Scope.ADMIN]
    call, variables = await prepared(admin, example)
    others = [scope for scope in Scope if scope not in {example.scope, Scope.ADMIN}]
    # Those who are refused go first, so that one who got through would be in the way of the last.
    tried = {who: code(await answer(clients[who], call, variables)) for who in (*others, "nobody")}
    assert tried == {**dict.fromkeys(others, "FORBIDDEN"), "nobody": "UNAUTHENTICATED"}
    assert code(await answer(clients[example.scope], call, variables)) is None
    assert code(await answer(admin, *await prepared(admin, example))) is None


async def test_refused_fields_do_not_cost_their_neighbours(found: Live) -> None:
    client = await found.client(Scope.DELIVERY)
    given = await client.post('{ page(slug: "home") { title } visitor(id: "v") { id } }')
    assert given["data"] == {"page": {"title": "Home"}, "visitor": None}
    assert [(error["path"], code({"errors": [error]})) for error in given["errors"]] == [
        (["visitor"], "FORBIDDEN")
    ]


@pytest.mark.parametrize("preview", ["drafts: true", 'segments: ["x"]', "interests: {climbing: 1}"])
async def test_a_preview_needs_the_editor(found: Live, preview: str) -> None:
    call = f'{{ page(slug: "home", preview: {{{preview}}}) {{ title }} }}'
    assert (await (await found.client(Scope.DELIVERY)).refused(call))["code"] == "FORBIDDEN"
    await (await found.client(Scope.DELIVERY, Scope.EDITOR)).ask(call)
