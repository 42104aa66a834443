import asyncio
import time
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from content_blocks.publishing import States
from gateway.core.bundles import Bundle
from gateway.errors import Conflict, InvalidContent, NotFound
from gateway.services.audit import Audit, Ledger
from gateway.services.author import Authoring, Published
from gateway.services.shelf import Shelf
from gateway.services.signals import SignalKeeper
from gateway.storage.client import SpaceStore
from schemas.json_schemas import builtin_block_types
from tests.gateway.core.logs import KEYS
from tests.gateway.core.made import SMALL_TYPE, card, feed, fixed, page
from tests.gateway.services.processes import LEARNING, bundle, chosen

TOP = page(fixed("top", "hero"))
SHOP = bundle(block=[card("hero"), card("a")], page=[page(fixed("top", "hero"), feed(limit=2))])
WRONG = {**card("hero"), "data": {"headline": 5}}


@pytest.fixture
def audit(storage) -> Audit:
    return Audit(storage.audit, "p", KEYS, timedelta(days=30))


def authoring_of(space: SpaceStore, keeper: SignalKeeper, audit: Audit) -> Authoring:
    return Authoring(
        space, Shelf(space.content, keeper, builtin_block_types()), Ledger(audit, "main", KEYS.signing)
    )


@pytest.fixture
def authoring(space, audit) -> Authoring:
    keeper = SignalKeeper(space.events, space.states, space.decisions, LEARNING)
    return authoring_of(space, keeper, audit)


def blocks(authoring: Authoring) -> list[str]:
    return [block.key for block in authoring._shelf.edition.catalogue.blocks]


def headline(authoring: Authoring, key: str = "hero") -> str:
    return authoring._shelf.edition.catalogue.by_key[key].default.data["headline"]


def titled(text: str, key: str = "hero") -> dict:
    return {**card(key), "data": {"headline": text}}


# --- drafts ---


async def test_data_that_moves_under_a_patch_is_a_warning_unless_the_patch_moves_too(authoring):
    def block(text: str, patch: str) -> dict:
        return {
            **titled(text),
            "variants": [{"key": "x", "when": {"time.hour": 3}, "patch": {"headline": patch}}],
        }

    await authoring.load(SHOP, "eve")
    await authoring.save("block", block("Old", "Night"), "eve")
    _, warnings = await authoring.save("block", block("New", "Night"), "eve")
    assert [(one.path, one.code) for one in warnings] == [("/blocks/0/variants/0/patch/headline", "STALE")]
    _, warnings = await authoring.save("block", block("Newer", "Later at night"), "eve")
    assert list(warnings) == []
    _, warnings = await authoring.save("block", block("Newer", "Later at night"), "eve")
    assert list(warnings) == []


async def test_a_draft_is_seen_by_nobody_until_it_is_published(authoring):
    await authoring.load(SHOP, "eve")
    item, warnings = await authoring.save("block", titled("New"), "eve")
    assert (item.state, item.version, item.published_revision, list(warnings)) == (States.DRAFT, 1, 1, [])
    assert orjson.loads(item.body)["data"] == {"headline": "New"}
    assert headline(authoring) == "hero"
    assert chosen(await authoring.drafted())["top"] == [("hero", "default")]
    assert (await authoring.drafted()).catalogue.by_key["hero"].default.data == {"headline": "New"}
    assert await authoring.publish(by="eve") == Published(2, 1, 0, [])
    assert headline(authoring) == "New"
    assert (await authoring.item("block", "hero")).state == States.PUBLISHED


async def test_drafts_may_build_on_drafts(authoring):
    await authoring.save("blockType", SMALL_TYPE, "eve")
    await authoring.save("block", card("hero"), "eve")
    await authoring.save("page", TOP, "eve")
    assert (await authoring.publish(by="eve")).put == 3
    assert chosen(authoring._shelf.edition) == {"top": [("hero", "default")]}


async def test_what_is_wrong_is_told_whole_and_nothing_is_saved(authoring):
    await authoring.load(SHOP, "eve")
    with pytest.raises(InvalidContent) as refused:
        await authoring.save("page", page(fixed("top", "gone"), fixed("top", "a")), "eve")
    assert {problem.code for problem in refused.value.problems} == {"UNKNOWN_BLOCK", "DUPLICATE"}
    assert refused.value.message.startswith("nothing was saved, since 2 things are wrong: ")
    with pytest.raises(NotFound, match="no page 'home2'"):
        await authoring.item("page", "home2")
    assert (await authoring.item("page", "home")).state == States.PUBLISHED


async def test_an_editor_who_looked_at_an_older_draft_is_told(authoring):
    await authoring.load(SHOP, "eve")
    await authoring.save("block", titled("One"), "eve", expect_version=0)
    await authoring.save("block", titled("Two"), "bob", expect_version=1)
    with pytest.raises(Conflict, match="read it again"):
        await authoring.save("block", titled("Three"), "eve", expect_version=1)
    assert b"Two" in (await authoring.item("block", "hero")).body


async def test_saving_the_same_again_makes_no_new_version(authoring):
    await authoring.load(SHOP, "eve")
    versions = [(await authoring.save("block", titled("Same"), "eve"))[0].version for _ in range(3)]
    assert versions == [1, 1, 1]


async def test_a_built_in_block_type_is_not_to_be_changed(authoring):
    name = builtin_block_types()[0]["name"]
    with pytest.raises(Conflict, match="built in; give yours another name"):
        await authoring.save("blockType", {"name": name, "schema": {"type": "object"}}, "eve")


async def test_a_block_type_that_no_longer_fits_its_blocks_is_refused(authoring):
    await authoring.load(SHOP, "eve")
    stricter = {"name": "Card", "schema": {"type": "object", "required": ["price"]}}
    with pytest.raises(InvalidContent, match="already there"):
        await authoring.save("blockType", stricter, "eve")


async def test_a_draft_can_be_thrown_away(authoring):
    await authoring.load(SHOP, "eve")
    await authoring.save("block", titled("New"), "eve")
    assert await authoring.discard("block", "hero")
    assert not await authoring.discard("block", "hero")
    assert (await authoring.item("block", "hero")).state == States.PUBLISHED
    with pytest.raises(NotFound, match="no drafts to publish; save something first"):
        await authoring.publish(by="eve")


async def test_drafts_move_through_review(authoring):
    await authoring.load(SHOP, "eve")
    await authoring.save("block", titled("New"), "eve")
    ref = ("block", "hero")
    states = [
        (await authoring.act([ref], action, "eve"))[0].state for action in ("submit", "reject", "submit")
    ]
    assert states == ["review", "draft", "review"]
    with pytest.raises(Conflict, match="can reject, schedule, publish, archive"):
        await authoring.act([ref], "restore", "eve")
    edited, _ = await authoring.save("block", titled("Newer"), "eve")
    assert edited.state == "draft"
    archived = await authoring.act([ref], "archive", "eve")
    assert archived[0].state == "archived"
    assert headline(authoring) == "hero"
    with pytest.raises(Conflict, match="archived content cannot take the action 'publish'"):
        await authoring.publish([ref], by="eve")
    with pytest.raises(NotFound, match="no drafts to publish"):
        await authoring.publish(by="eve")
    with pytest.raises(NotFound, match="no draft of block 'a'"):
        await authoring.act([("block", "a")], "submit", "eve")


async def test_items_are_listed_by_key_drafts_and_published_together(authoring):
    await authoring.load(SHOP, "eve")
    await authoring.save("block", titled("New"), "eve")
    await authoring.save("block", card("b"), "eve")
    listed, more = await authoring.items("block", first=2, after=None)
    assert ([(item.key, item.state) for item in listed], more) == ([("a", "published"), ("b", "draft")], True)
    listed, more = await authoring.items("block", first=2, after="b")
    assert ([(item.key, item.state) for item in listed], more) == ([("hero", "draft")], False)
    drafts, more = await authoring.items("block", first=5, after=None, state="draft")
    assert ([item.key for item in drafts], more) == (["b", "hero"], False)


# --- publishing ---


async def test_only_what_is_named_is_published(authoring):
    await authoring.load(SHOP, "eve")
    await authoring.save("block", titled("New"), "eve")
    await authoring.save("block", titled("Other", "a"), "eve")
    await authoring.publish([("block", "a")], by="eve", note="the other")
    assert [headline(authoring, key) for key in ("a", "hero")] == ["Other", "hero"]
    assert (await authoring.item("block", "hero")).state == States.DRAFT
    newest, first = await authoring.revisions(5)
    assert (newest.number, newest.by, newest.note, newest.put) == (2, "eve", "the other", 1)
    assert (first.number, first.note) == (1, "load")


async def test_a_publication_that_leaves_something_broken_is_refused(authoring):
    await authoring.load(SHOP, "eve")
    with pytest.raises(InvalidContent, match="hero"):
        await authoring.unpublish([("block", "hero")], "eve")
    assert blocks(authoring) == ["a", "hero"]
    await authoring.unpublish([("block", "a")], "eve")
    assert blocks(authoring) == ["hero"]
    kept = await authoring.item("block", "a")
    assert (kept.state, kept.published_revision) == (States.DRAFT, None)
    with pytest.raises(NotFound, match="no block 'a'"):
        await authoring.unpublish([("block", "a")], "eve")


async def test_unpublishing_leaves_a_newer_draft_alone(authoring):
    await authoring.load(SHOP, "eve")
    await authoring.save("block", titled("Newer", "a"), "eve")
    await authoring.unpublish([("block", "a")], "eve")
    assert b"Newer" in (await authoring.item("block", "a")).body


async def test_a_rollback_publishes_anew_what_was_there(authoring):
    await authoring.load(SHOP, "eve")
    before = authoring.export()
    await authoring.save("block", titled("New"), "eve")
    await authoring.save("block", card("extra"), "eve")
    await authoring.publish(by="eve")
    assert authoring.export() != before
    rolled = await authoring.rollback(1, "eve")
    assert (rolled.revision, rolled.removed) == (3, 1)
    assert authoring.export() == before
    assert (await authoring.revisions(1))[0].note == "rollback to 1"
    with pytest.raises(NotFound, match=r"no revision 9 any more; known are \[1, 2, 3\]"):
        await authoring.rollback(9, "eve")


async def test_two_who_publish_at_once_both_succeed(authoring):
    await authoring.load(SHOP, "eve")
    await asyncio.gather(*(authoring.load(bundle(block=[card(f"b{n}")]), "eve") for n in range(3)))
    assert blocks(authoring) == ["a", "b0", "b1", "b2", "hero"]
    assert authoring._shelf.edition.catalogue.revision == 4


# --- at a given time ---


async def test_what_is_scheduled_is_published_when_its_time_has_come(authoring):
    await authoring.load(SHOP, "eve")
    for key in ("hero", "a"):
        await authoring.save("block", titled("Later", key), "eve")
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    hero, _ = await authoring.schedule([("block", "hero"), ("block", "a")], soon, "eve")
    assert hero.state == States.SCHEDULED
    assert abs(hero.publish_at - soon) < timedelta(milliseconds=1)
    await authoring.publish_due()
    assert headline(authoring) == "hero"
    await asyncio.sleep(soon.timestamp() - time.time())
    await authoring.publish_due()
    assert [headline(authoring, key) for key in ("a", "hero")] == ["Later", "Later"]
    assert authoring._shelf.edition.catalogue.revision == 2
    await authoring.publish_due()
    assert authoring._shelf.edition.catalogue.revision == 2


async def test_an_edited_draft_waits_no_longer(authoring):
    await authoring.load(SHOP, "eve")
    await authoring.save("block", titled("Later"), "eve")
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    await authoring.schedule([("block", "hero")], soon, "eve")
    edited, _ = await authoring.save("block", titled("Not yet"), "eve")
    assert (edited.state, edited.publish_at) == (States.DRAFT, None)
    await asyncio.sleep(soon.timestamp() - time.time())
    await authoring.publish_due()
    assert headline(authoring) == "hero"


async def test_what_can_no_longer_be_published_waits_for_an_editor_and_keeps_nobody_waiting(
    authoring, caplog
):
    await authoring.load(SHOP, "eve")
    await authoring.save("block", card("new"), "eve")
    await authoring.save("page", page(fixed("top", "new"), slug="campaign"), "eve")
    await authoring.save("block", titled("Later"), "eve")
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    await authoring.schedule([("page", "campaign")], soon, "eve")
    await authoring.schedule([("block", "hero")], soon + timedelta(milliseconds=1), "eve")
    await authoring.discard("block", "new")  # what the page shows
    await asyncio.sleep(soon.timestamp() + 0.002 - time.time())
    await authoring.publish_due()
    assert headline(authoring) == "Later"
    assert (await authoring.item("page", "campaign")).state == States.DRAFT
    assert "'new'" in caplog.text
    caplog.clear()
    await authoring.publish_due()
    assert caplog.messages == []


async def test_the_past_cannot_be_scheduled(authoring):
    await authoring.load(SHOP, "eve")
    await authoring.save("block", titled("New"), "eve")
    with pytest.raises(Conflict, match="publish now instead"):
        await authoring.schedule([("block", "hero")], datetime.now(UTC), "eve")
    with pytest.raises(NotFound):
        await authoring.schedule([("block", "a")], datetime.now(UTC) + timedelta(hours=1), "eve")


# --- bundles ---


async def test_what_is_exported_loads_again_as_it_was(authoring, storage, audit):
    await authoring.load(SHOP, "eve")
    exported = authoring.export()
    other = storage.space("other")
    await other.prepare()
    keeper = SignalKeeper(other.events, other.states, other.decisions, LEARNING)
    copy = authoring_of(other, keeper, audit)
    assert (await copy.load(exported, "eve")).put == 4
    assert copy.export() == exported


async def test_loading_the_same_again_makes_no_revision(authoring):
    assert (await authoring.load(SHOP, "eve")).revision == 1
    assert (await authoring.load(SHOP, "eve")).revision == 1


async def test_a_bundle_with_a_mistake_changes_nothing(authoring):
    await authoring.load(SHOP, "eve")
    with pytest.raises(InvalidContent, match="headline"):
        await authoring.load(bundle(block=[titled("New", "a"), WRONG]), "eve")
    assert headline(authoring, "a") == "a"
    assert (await authoring.revisions(5))[0].number == 1


async def test_a_bundle_may_be_loaded_as_drafts(authoring):
    published = await authoring.load(SHOP, "eve", drafts_only=True)
    assert (published.revision, published.put, blocks(authoring)) == (0, 0, [])
    assert (await authoring.publish(by="eve")).put == 4
    assert blocks(authoring) == ["a", "hero"]


async def test_progress_is_told_and_warnings_are_passed_on(authoring):
    steps = []
    shadow = {"key": "narrow", "when": {"device.type": "mobile", "geo.country": "GB"}}
    wide = {"key": "wide", "when": {"device.type": "mobile"}}
    loaded = await authoring.load(
        bundle(block=[card("hero", wide, shadow)]), "eve", lambda done, total: steps.append((done, total))
    )
    assert [problem.code for problem in loaded.warnings] == ["SHADOWED"]
    assert steps[-1][0] == steps[-1][1]


async def test_an_empty_space_exports_an_empty_bundle(authoring):
    assert authoring.export() == Bundle.of({})
