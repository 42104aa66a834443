import pytest

from content_blocks.blocks import BlockFilter
from gateway.core.context import Context
from gateway.core.records import decision_id
from gateway.core.signals import Signals
from gateway.services.deliver import Asked, Preview, record_of
from gateway.services.replay import Replay
from gateway.services.space import Space
from tests.gateway.core.made import card, context, feed, fixed, page
from tests.gateway.services.processes import NOW, bundle, view, working

TASTES = [{"key": "climb", "tags": {"climbing": 1.0}}, {"key": "phone", "when": {"device.type": "mobile"}}]
CARDS = [card(f"c{n}", tags={"climbing": n / 9, "sailing": 1 - n / 9}) for n in range(9)]
SLOTS = [fixed("top", "hero", "interest"), fixed("side", "c5"), feed(limit=4)]
SHOP = bundle(block=[card("hero", *TASTES), *CARDS], page=[page(*SLOTS)])
MOBILE = {"device": {"type": "mobile"}}


async def served(space: Space, asked: Asked) -> list[str]:
    """A page's decisions, by slot and position."""
    answer = await space.delivery.page(space.shelf.edition, "home", asked)
    recorded = space.decisions.record(record_of(answer))
    return [
        decision_id(recorded, place, position)
        for place, picked in enumerate(answer.assembly.picks.values())
        for position in range(len(picked))
    ]


def asked(here: Context, **more) -> Asked:
    return Asked(context=here, visitor="ann", **more)


def told(replay: Replay) -> tuple:
    """What a decision shows of itself."""
    choice = replay.choice
    return (
        replay.slot.name,
        replay.position,
        choice.block_key,
        choice.variant.key,
        choice.score,
        [(trace.variant.block.key, trace.variant.key, trace.summary, trace.score) for trace in replay.traces],
    )


async def test_every_decision_of_a_page_can_be_made_again(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        await space.intake.submit([view(block="c8"), view(block="c7")])
        decisions = await served(space, asked(context(NOW, **MOBILE)))
        replays = [await space.replays.replay(one) for one in decisions]
        assert [replay.same for replay in replays] == [True] * 6
        assert [(replay.slot.name, replay.position) for replay in replays] == [
            ("top", 0), ("side", 0), ("feed", 0), ("feed", 1), ("feed", 2), ("feed", 3),
        ]  # fmt: skip
        assert replays[0].record.visitor == "ann"


async def test_a_decision_stays_what_it_was_though_everything_moves_on(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        await space.intake.submit([view(block="c8")])
        decisions = await served(space, asked(context(NOW)))
        before = [told(await space.replays.replay(one)) for one in decisions]
        await space.intake.submit([view(block="c0", type="purchase")])
        await space.authoring.load(bundle(block=[card("hero"), card("c8", tags={"cooking": 1.0})]), "eve")
        await space.shelf.show(Signals(version=1, won={"c3": 9.0}))
        now = [told(await space.replays.replay(one)) for one in await served(space, asked(context(NOW)))]
        assert now != before
        assert [told(await space.replays.replay(one)) for one in decisions] == before
    async with working(storage, "later") as space:
        again = [await space.replays.replay(one) for one in decisions]
        assert [replay.same for replay in again] == [True] * 6
        assert [told(replay) for replay in again] == before


async def test_recommendations_are_replayed_as_pages_are(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        await space.intake.submit([view(block="c8")])
        where = BlockFilter.from_document({"type": "Card", "exclude": ["c8"]})
        answer = await space.delivery.recommendations(space.shelf.edition, where, asked(context(NOW)))
        recorded = space.decisions.record(record_of(answer))
        await space.decisions.flush()
        replay = await space.replays.replay(decision_id(recorded, 0, 2))
        assert (replay.same, replay.slot.name, replay.position) == (True, "recommendations", 2)
        assert "c8" not in {choice.block_key for choice in replay.assembly.picks["recommendations"]}


async def test_a_preview_is_replayed_with_what_the_editor_set(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        preview = Preview(interests={"climbing": 1.0}, segments=("made-up",))
        decisions = await served(space, asked(context(NOW), preview=preview))
        replay = await space.replays.replay(decisions[0])
        assert (replay.same, replay.choice.variant.key) == (True, "climb")
        assert replay.ask.facts["segments"] == ["made-up"]


async def test_a_page_chosen_without_a_visitor_is_replayed_without_one(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        decisions = await served(space, Asked(context=context(NOW)))
        replay = await space.replays.replay(decisions[0])
        assert (replay.same, replay.record.visitor, replay.ask.profile) == (True, None, None)


async def test_what_cannot_be_replayed_is_nothing(storage):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        await space.intake.submit([view()])
        (first, *_) = await served(space, asked(context(NOW)))
        bucket, record, _, _ = first.split(".")
        for unknown in (
            "",
            "nonsense",
            f"{bucket}.{record}.9.0",
            f"{bucket}.{record}.0.9",
            f"{bucket}.99.0.0",
            "p-99.0.0.0",
        ):
            assert await space.replays.replay(unknown) is None
        assert await space.replays.replay(first)
        await space.privacy.forget("ann")
        assert await space.replays.replay(first) is None


@pytest.mark.parametrize("gone", ["page", "signals"])
async def test_a_decision_whose_parts_have_expired_is_nothing(storage, gone):
    async with working(storage) as space:
        await space.authoring.load(SHOP, "eve")
        answer = await space.delivery.page(space.shelf.edition, "home", asked(context(NOW)))
        found = record_of(answer)
        changed = {"page": {"slug": "another"}, "signals": {"revision": "1.77"}}[gone]
        recorded = space.decisions.record(type(found).from_json({**found.to_json(), **changed}))
        assert await space.replays.replay(decision_id(recorded, 0, 0)) is None
