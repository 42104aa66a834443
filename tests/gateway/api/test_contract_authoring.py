"""What editors do, over the API."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from schemas.vocabulary import Scope
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAVED = "{ item { kind key state version document publishedRevision } warnings { path code } }"
SAVE = {
    kind: f"""mutation($d: {kind}Input!, $n: Int) {{
      save{kind}({kind[0].lower() + kind[1:]}: $d, expectVersion: $n) {SAVED} }}"""
    for kind in ("BlockType", "Segment", "Block", "Page", "Experiment")
}
VARIANT = f"""mutation($b: String!, $d: VariantInput!, $n: Int) {{
  saveVariant(block: $b, variant: $d, expectVersion: $n) {SAVED} }}"""
PUBLISH = """mutation($i: [ContentRef!], $note: String! = "") {
  publish(items: $i, note: $note) { revision published removed warnings { code } } }"""
UNPUBLISH = "mutation($i: [ContentRef!]!) { unpublish(items: $i) { published removed } }"
MOVE = "mutation($i: [ContentRef!]!, $a: String!) { moveDrafts(items: $i, action: $a) { key state } }"
SCHEDULE = (
    "mutation($i: [ContentRef!]!, $at: DateTime!) { schedule(items: $i, at: $at) { key state publishAt } }"
)
DISCARD = "mutation($i: ContentRef!) { discardDraft(item: $i) }"
ROLLBACK = "mutation($n: Int!) { rollback(revision: $n) { revision published removed } }"
ITEM = """query($kind: ContentKind!, $key: String!) {
  contentItem(kind: $kind, key: $key) { state version document publishedRevision } }"""
ITEMS = """query($kind: ContentKind!, $first: Int!, $after: String, $state: String) {
  content(kind: $kind, first: $first, after: $after, state: $state) {
    edges { cursor node { key state } } pageInfo { hasNextPage endCursor } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(engine_url: str) -> AsyncIterator[Live]:
    async with live(engine_url, f"t{uuid4().hex[:12]}", alone=True) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def space(gateway: Live) -> str:
    """A space of its own for each test."""
    name = f"s{uuid4().hex[:8]}"
    await gateway.gateway.create_space(name)
    return name


@pytest_asyncio.fixture(loop_scope="module")
async def editor(gateway: Live, space: str) -> Client:
    """With a page that shows one text."""
    await gateway.load({"blocks": [text("one")], "pages": [page("home", "one")]}, space)
    return await gateway.client(Scope.EDITOR, Scope.DELIVERY, space=space)


def text(key: str, body: str = "", **more: Any) -> dict[str, Any]:
    return {"key": key, "type": "RichText", "data": {"body": body or key}, **more}


def page(slug: str, *blocks: str) -> dict[str, Any]:
    slots = [{"name": f"s{i}", "strategy": "rules", "block": block} for i, block in enumerate(blocks)]
    return {"slug": slug, "title": slug.title(), "slots": slots}


def ref(key: str, kind: str = "BLOCK") -> dict[str, str]:
    return {"kind": kind, "key": key}


async def save(client: Client, kind: str, document: Mapping[str, Any], expected: int | None = None) -> Any:
    return (await client.ask(SAVE[kind], d=document, n=expected))[f"save{kind}"]


async def item(client: Client, key: str, kind: str = "BLOCK") -> Any:
    return (await client.ask(ITEM, kind=kind, key=key))["contentItem"]


async def shown(client: Client, slug: str = "home", preview: Mapping[str, Any] | None = None) -> Any:
    """The text in each slot; None without the page."""
    query = """query($s: String!, $p: PreviewInput) { page(slug: $s, preview: $p) {
                 slots { blocks { data } } } }"""
    found = (await client.ask(query, s=slug, p=preview))["page"]
    return found and [slot["blocks"][0]["data"]["body"] for slot in found["slots"]]


DOCUMENTS: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "BlockType": (
        "BLOCK_TYPE",
        {"name": "Quote", "schema": {"type": "object", "properties": {"who": {"type": "string"}}}},
        "Quote",
    ),
    "Segment": ("SEGMENT", {"key": "night", "when": {"time.hour": {"$gte": 21}}}, "night"),
    "Block": ("BLOCK", text("two", tags={"calm": 1.0}, boost=0.5), "two"),
    "Page": ("PAGE", page("second", "one"), "second"),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
async def test_what_is_saved_is_a_draft_as_it_was_sent_until_it_is_published(
    editor: Client, kind: str
) -> None:
    enum, document, key = DOCUMENTS[kind]
    saved = await save(editor, kind, document)
    assert saved == {
        "item": {
            "kind": enum,
            "key": key,
            "state": "draft",
            "version": 1,
            "document": document,
            "publishedRevision": None,
        },
        "warnings": [],
    }
    published = (await editor.ask(PUBLISH, i=[ref(key, enum)]))["publish"]
    assert published == {"revision": 2, "published": 1, "removed": 0, "warnings": []}
    assert await item(editor, key, enum) == {
        "state": "published",
        "version": 0,
        "document": document,
        "publishedRevision": 2,
    }


async def test_an_experiment_is_saved_with_its_arms(editor: Client) -> None:
    await save(editor, "Block", text("one", variants=[{"key": "b", "patch": {"body": "B"}}]))
    plan = {
        "key": "test",
        "block": "one",
        "arms": [{"variant": "default", "weight": 0.5}, {"variant": "b", "weight": 0.5}],
    }
    saved = await save(editor, "Experiment", plan)
    assert (saved["item"]["document"], saved["item"]["state"]) == (plan, "draft")


async def test_a_variant_is_added_to_its_block_and_replaced_in_its_place(editor: Client) -> None:
    async def variant(**fields: Any) -> Any:
        return (await editor.ask(VARIANT, b="one", d=fields))["saveVariant"]["item"]

    first = await variant(key="mobile", when={"device.type": "mobile"}, patch={"body": "small"})
    await variant(key="late", when={"time.hour": {"$gte": 21}}, patch={"body": "late"})
    third = await variant(key="mobile", when={"device.type": "mobile"}, patch={"body": "smaller"})
    assert (first["version"], third["version"]) == (1, 3)
    assert [(v["key"], v["patch"]["body"]) for v in third["document"]["variants"]] == [
        ("mobile", "smaller"),
        ("late", "late"),
    ]
    await editor.ask(PUBLISH)
    query = (
        '{ page(slug: "home", context: {device: {type: "mobile"}}) { slots { blocks { variant data } } } }'
    )
    [slot] = (await editor.ask(query))["page"]["slots"]
    assert slot["blocks"] == [{"variant": "mobile", "data": {"body": "smaller"}}]


async def test_a_variant_of_no_block_is_not_found(editor: Client) -> None:
    refused = await editor.refused(VARIANT, b="gone", d={"key": "x"})
    assert refused["code"] == "NOT_FOUND"


async def test_an_editor_with_an_older_version_is_told_and_changes_nothing(editor: Client) -> None:
    await save(editor, "Block", text("one", "first"), expected=0)
    await save(editor, "Block", text("one", "second"), expected=1)
    for stale in (0, 1, 7):
        assert (await editor.refused(SAVE["Block"], d=text("one", "third"), n=stale))["code"] == "CONFLICT"
    assert (await editor.refused(VARIANT, b="one", d={"key": "x", "patch": {"body": "x"}}, n=1))["code"] == (
        "CONFLICT"
    )
    found = await item(editor, "one")
    assert (found["version"], found["document"]["data"]) == (2, {"body": "second"})


async def test_of_editors_at_the_same_moment_one_wins(editor: Client) -> None:
    answers = await asyncio.gather(
        *(editor.post(SAVE["Block"], d=text("one", f"editor {n}"), n=0) for n in range(6))
    )
    won = [answer["data"]["saveBlock"] for answer in answers if "errors" not in answer]
    lost = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert (len(won), lost) == (1, ["CONFLICT"] * 5)
    assert (await item(editor, "one"))["document"] == won[0]["item"]["document"]


WRONG: Mapping[str, tuple[str, Mapping[str, Any], set[str]]] = {
    "data that breaks its schema": ("Block", {**text("bad"), "data": {"body": 5}}, {"/blocks/0/data/body"}),
    "an unknown type": ("Block", {**text("bad"), "type": "RichTxt"}, {"/blocks/0/type"}),
    "an unknown segment": (
        "Block",
        text("bad", variants=[{"key": "v", "when": {"segments": {"$in": ["none"]}}, "patch": {}}]),
        {"/blocks/0/variants/0/when/segments/$in/0"},
    ),
    "an unknown operator": (
        "Segment",
        {"key": "bad", "when": {"time.hour": {"$atLeast": 5}}},
        {"/segments/0/when/time.hour/$atLeast"},
    ),
    "two wrong slots": (
        "Page",
        {
            "slug": "bad",
            "title": "Bad",
            "slots": [
                {"name": "a", "strategy": "rules", "block": "gone"},
                {"name": "a", "strategy": "feed", "block": "one"},
            ],
        },
        {"/pages/0/slots/0/block", "/pages/0/slots/1/strategy", "/pages/0/slots/1/name"},
    ),
    "a schema that is none": (
        "BlockType",
        {"name": "Bad", "schema": {"type": "objct"}},
        {"/blockTypes/0/schema/type"},
    ),
    "a name of ours": ("BlockType", {"name": "Page", "schema": {"type": "object"}}, {"/blockTypes/0/name"}),
    "a field that clashes": (
        "BlockType",
        {"name": "Bad", "schema": {"type": "object", "properties": {"body": {"type": "integer"}}}},
        {"/blockTypes/0/schema"},
    ),
    "a template that is broken": (
        "BlockType",
        {"name": "Bad", "schema": {"type": "object"}, "template": "{{ data."},
        {"/blockTypes/0/template"},
    ),
    "arms without their variants": (
        "Experiment",
        {"key": "bad", "block": "one", "arms": [{"variant": "default", "weight": 0.5}]},
        {"/experiments/0/arms"},
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_told_with_its_places_and_nothing_is_written(
    gateway: Live, editor: Client, name: str
) -> None:
    kind, document, places = WRONG[name]
    refused = await editor.refused(SAVE[kind], d=document)
    assert refused["code"] == "INVALID_CONTENT"
    assert places <= {problem["path"] for problem in refused["problems"]}
    assert all(problem["message"] and problem["code"] for problem in refused["problems"])
    enum = {"BlockType": "BLOCK_TYPE"}.get(kind, kind.upper())
    assert await item(editor, document.get("key") or document.get("slug") or document["name"], enum) is None


async def test_a_built_in_block_type_cannot_be_replaced(editor: Client) -> None:
    refused = await editor.refused(SAVE["BlockType"], d={"name": "RichText", "schema": {"type": "object"}})
    assert refused["code"] == "CONFLICT"


async def test_drafts_show_in_a_preview_alone(editor: Client) -> None:
    await save(editor, "Block", text("one", "drafted"))
    await save(editor, "Page", page("second", "one"))
    assert (await shown(editor), await shown(editor, "second")) == (["one"], None)
    drafts = {"drafts": True}
    assert await shown(editor, preview=drafts) == ["drafted"]
    assert await shown(editor, "second", drafts) == ["drafted"]
    assert (await shown(editor), await shown(editor, "second")) == (["one"], None)


async def test_a_draft_is_thrown_away_and_what_is_published_stays(editor: Client) -> None:
    await save(editor, "Block", text("one", "drafted"))
    assert (await editor.ask(DISCARD, i=ref("one")))["discardDraft"] is True
    assert (await editor.ask(DISCARD, i=ref("one")))["discardDraft"] is False
    assert (await item(editor, "one"))["state"] == "published"
    assert await shown(editor, preview={"drafts": True}) == ["one"]


async def test_everything_that_was_saved_is_published_together(editor: Client) -> None:
    await save(editor, "Block", text("two"))
    await save(editor, "Page", page("home", "one", "two"))
    published = (await editor.ask(PUBLISH, note="both"))["publish"]
    assert (published["revision"], published["published"]) == (2, 2)
    assert await shown(editor) == ["one", "two"]
    assert (await editor.refused(PUBLISH))["code"] == "NOT_FOUND"
    assert (await editor.refused(PUBLISH, note="n" * 1_001))["code"] == "TOO_LARGE"
    [newest, _] = (await editor.ask("{ revisions { revision by note published removed } }"))["revisions"]
    assert newest == {"revision": 2, "by": "test", "note": "both", "published": 2, "removed": 0}


async def test_a_publication_that_would_leave_something_missing_is_refused_whole(editor: Client) -> None:
    await save(editor, "Block", text("two"))
    await save(editor, "Page", page("home", "one", "two"))
    refused = await editor.refused(PUBLISH, i=[ref("home", "PAGE")])
    assert refused["code"] == "INVALID_CONTENT"
    assert "two" in refused["problems"][0]["message"]
    assert (await editor.refused(PUBLISH, i=[ref("two"), ref("gone")]))["code"] == "NOT_FOUND"
    assert await shown(editor) == ["one"]
    assert (await item(editor, "two"))["state"] == "draft"


async def test_content_is_taken_off_the_pages_and_stays_as_a_draft(editor: Client) -> None:
    refused = await editor.refused(UNPUBLISH, i=[ref("one")])
    assert refused["code"] == "INVALID_CONTENT"
    assert await shown(editor) == ["one"]
    gone = (await editor.ask(UNPUBLISH, i=[ref("one"), ref("home", "PAGE")]))["unpublish"]
    assert gone == {"published": 0, "removed": 2}
    assert await shown(editor) is None
    found = await item(editor, "one")
    assert (found["state"], found["publishedRevision"], found["document"]) == ("draft", None, text("one"))
    await editor.ask(PUBLISH)
    assert await shown(editor) == ["one"]


async def test_an_earlier_revision_is_published_anew(editor: Client) -> None:
    await save(editor, "Block", text("one", "newer"))
    await save(editor, "Page", page("second", "one"))
    await editor.ask(PUBLISH)
    assert (await shown(editor), await shown(editor, "second")) == (["newer"], ["newer"])
    assert (await editor.ask(ROLLBACK, n=1))["rollback"]["revision"] == 3
    assert (await shown(editor), await shown(editor, "second")) == (["one"], None)
    assert (await editor.ask(ROLLBACK, n=2))["rollback"]["revision"] == 4
    assert (await shown(editor), await shown(editor, "second")) == (["newer"], ["newer"])
    assert (await editor.refused(ROLLBACK, n=99))["code"] == "NOT_FOUND"


async def test_drafts_go_through_review_and_back(editor: Client) -> None:
    await save(editor, "Block", text("one", "reviewed"))
    for action, state in (
        ("submit", "review"),
        ("reject", "draft"),
        ("archive", "archived"),
        ("restore", "draft"),
    ):
        moved = (await editor.ask(MOVE, i=[ref("one")], a=action))["moveDrafts"]
        assert moved == [{"key": "one", "state": state}]
    assert (await editor.refused(MOVE, i=[ref("one")], a="reject"))["code"] == "CONFLICT"
    assert (await editor.refused(MOVE, i=[ref("one")], a="nonsense"))["code"] == "BAD_INPUT"
    assert (await editor.refused(MOVE, i=[ref("gone")], a="submit"))["code"] == "NOT_FOUND"
    assert (await editor.refused(MOVE, i=[], a="submit"))["code"] == "BAD_INPUT"
    assert (await item(editor, "one"))["state"] == "draft"


async def test_nothing_is_published_by_moving_a_draft(editor: Client) -> None:
    await save(editor, "Block", text("one", "sneaked"))
    for action in ("publish", "schedule", "edit", "unpublish"):
        refused = await editor.refused(MOVE, i=[ref("one")], a=action)
        assert (refused["code"], "submit" in refused["message"]) == ("BAD_INPUT", True)
    assert (await item(editor, "one"))["state"] == "draft"
    assert await shown(editor) == ["one"]


async def test_scheduled_drafts_appear_at_their_moment(editor: Client) -> None:
    await save(editor, "Block", text("one", "scheduled"))
    past = datetime.now(UTC) - timedelta(minutes=1)
    assert (await editor.refused(SCHEDULE, i=[ref("one")], at=past.isoformat()))["code"] == "CONFLICT"
    at = datetime.now(UTC) + timedelta(seconds=1)
    [planned] = (await editor.ask(SCHEDULE, i=[ref("one")], at=at.isoformat()))["schedule"]
    assert planned["state"] == "scheduled"
    assert abs(datetime.fromisoformat(planned["publishAt"]) - at) < timedelta(milliseconds=1)
    assert await shown(editor) == ["one"]
    async with asyncio.timeout(6):
        while await shown(editor) == ["one"]:
            pass  # each look is a request
    assert datetime.now(UTC) >= at
    assert (await item(editor, "one"))["state"] == "published"


async def test_a_moment_without_an_offset_is_utc(editor: Client) -> None:
    await save(editor, "Block", text("one", "later"))
    [planned] = (await editor.ask(SCHEDULE, i=[ref("one")], at="2031-01-01T09:00:00"))["schedule"]
    assert datetime.fromisoformat(planned["publishAt"]) == datetime(2031, 1, 1, 9, tzinfo=UTC)


async def test_a_schedule_is_called_off(editor: Client) -> None:
    await save(editor, "Block", text("one", "never"))
    at = datetime.now(UTC) + timedelta(hours=1)
    await editor.ask(SCHEDULE, i=[ref("one")], at=at.isoformat())
    assert (await editor.refused(PUBLISH))["code"] == "NOT_FOUND"  # what waits for its moment is not swept up
    assert (await editor.ask(MOVE, i=[ref("one")], a="cancel"))["moveDrafts"] == [
        {"key": "one", "state": "draft"}
    ]


async def test_lists_of_content_are_paged_and_filtered(editor: Client) -> None:
    for key in ("b", "c", "a"):
        await save(editor, "Block", text(key))
    seen: list[tuple[str, str]] = []
    after = None
    while True:
        part = (await editor.ask(ITEMS, kind="BLOCK", first=2, after=after))["content"]
        seen += [(edge["node"]["key"], edge["node"]["state"]) for edge in part["edges"]]
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert seen == [("a", "draft"), ("b", "draft"), ("c", "draft"), ("one", "published")]
    only = (await editor.ask(ITEMS, kind="BLOCK", first=10, state="published"))["content"]
    assert [edge["node"]["key"] for edge in only["edges"]] == ["one"]
    assert (await editor.refused(ITEMS, kind="BLOCK", first=101))["code"] == "BAD_INPUT"


async def test_a_new_block_type_is_in_the_schema_at_once(editor: Client) -> None:
    query = """{ page(slug: "quotes") { slots { blocks { html content {
                 __typename ... on Quote { who words } } } } } }"""
    assert (await editor.refused(query))["code"] == "GRAPHQL_VALIDATION_FAILED"
    schema = {"type": "object", "properties": {"who": {"type": "string"}, "words": {"type": "integer"}}}
    template = "<q>{{ data.who }}</q>"
    await save(editor, "BlockType", {"name": "Quote", "schema": schema, "template": template})
    await save(editor, "Block", {"key": "q", "type": "Quote", "data": {"who": "<Ann>", "words": 3}})
    await save(editor, "Page", page("quotes", "q"))
    assert (await editor.refused(query))["code"] == "GRAPHQL_VALIDATION_FAILED"  # drafts have no types yet
    await editor.ask(PUBLISH)
    content = {"__typename": "Quote", "who": "<Ann>", "words": 3}
    assert (await editor.ask(query))["page"]["slots"] == [
        {"blocks": [{"html": "<q>&lt;Ann&gt;</q>", "content": content}]}
    ]
    members = await editor.ask('{ __type(name: "BlockContent") { possibleTypes { name } } }')
    assert {"name": "Quote"} in members["__type"]["possibleTypes"]


async def test_a_change_of_a_block_type_that_breaks_its_blocks_is_refused(editor: Client) -> None:
    typed = {"name": "Quote", "schema": {"type": "object", "properties": {"who": {"type": "string"}}}}
    await save(editor, "BlockType", typed)
    await save(editor, "Block", {"key": "q", "type": "Quote", "data": {"who": "Ann"}})
    await editor.ask(PUBLISH)
    numbers = {"name": "Quote", "schema": {"type": "object", "properties": {"who": {"type": "number"}}}}
    refused = await editor.refused(SAVE["BlockType"], d=numbers)
    assert refused["code"] == "INVALID_CONTENT"
    assert "the block q" in refused["problems"][0]["path"]


async def test_a_preview_with_drafts_of_a_new_block_type_has_data_and_no_types_yet(editor: Client) -> None:
    typed = {"name": "Quote", "schema": {"type": "object", "properties": {"body": {"type": "string"}}}}
    await save(editor, "BlockType", typed)
    await save(editor, "Block", {"key": "q", "type": "Quote", "data": {"body": "unheard"}})
    await save(editor, "Page", page("home", "q"))
    assert await shown(editor, preview={"drafts": True}) == ["unheard"]
    query = """{ page(slug: "home", preview: {drafts: true}) {
                   slots { blocks { content { __typename } } } } }"""
    refused = await editor.refused(query)
    assert (refused["code"], "Quote" in refused["message"]) == ("CONFLICT", True)


async def test_a_choice_among_drafts_cannot_be_asked_about_later(
    editor: Client, gateway: Live, space: str
) -> None:
    await save(editor, "Block", text("one", variants=[{"key": "v", "patch": {"body": "v"}}]))
    client = await gateway.client(space=space)
    query = """query($p: PreviewInput) { page(slug: "home", preview: $p) {
                 slots { blocks { decision variant } } } }"""
    again = "query($d: ID!) { decision(id: $d) { same block { variant } } }"
    found = []
    for drafts in (True, False):
        [slot] = (await client.ask(query, p={"drafts": drafts}))["page"]["slots"]
        [block] = slot["blocks"]
        found.append((block["variant"], (await client.ask(again, d=block["decision"]))["decision"]))
    assert found == [("v", None), ("default", {"same": True, "block": {"variant": "default"}})]
