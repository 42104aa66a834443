from dataclasses import dataclass

from content_blocks.assembly import Assembly, assemble


@dataclass(frozen=True)
class Place:
    name: str
    shows: tuple[str, ...]
    fixed: bool = False


@dataclass(frozen=True)
class Pick:
    block_key: str


BROKEN = RuntimeError("broken")


def pick(place, taken):
    """What the place shows, without what stands on the page already; "!" breaks it."""
    if "!" in place.shows:
        raise BROKEN
    return [Pick(key) for key in place.shows if key not in taken]


def fallback(place):
    return [Pick("default")]


def keys(assembly: Assembly[Pick]) -> dict[str, list[str]]:
    return {name: [one.block_key for one in picked] for name, picked in assembly.picks.items()}


def test_places_are_filled_in_the_order_of_the_page():
    assembly = assemble([Place("top", ("a",)), Place("feed", ("b", "c"))], pick, fallback)
    assert list(keys(assembly).items()) == [("top", ["a"]), ("feed", ["b", "c"])]
    assert assembly.failures == ()


def test_a_feed_never_repeats_what_a_named_block_shows_even_below_it():
    places = [Place("feed", ("a", "b")), Place("second", ("b", "c")), Place("hero", ("a",), fixed=True)]
    assembly = assemble(places, pick, fallback)
    assert list(keys(assembly).items()) == [("feed", ["b"]), ("second", ["c"]), ("hero", ["a"])]


def test_a_broken_slot_shows_its_default_and_costs_nobody_else():
    places = [Place("top", ("a",)), Place("broken", ("!",), fixed=True), Place("end", ("default", "b"))]
    assembly = assemble(places, pick, fallback)
    assert keys(assembly) == {"top": ["a"], "broken": ["default"], "end": ["b"]}
    assert assembly.failures == (("broken", BROKEN),)


def test_nothing_to_choose_from_leaves_a_slot_empty():
    assert keys(assemble([Place("feed", ())], pick, fallback)) == {"feed": []}
    assert assemble([], pick, fallback) == Assembly({}, ())
