from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.consent import Answer
from gateway.core.events import Event
from gateway.core.links import Link, Members, Origin
from gateway.core.memory import Memory, Trait, blank, from_bytes, remember, to_bytes
from gateway.core.people import (
    MOST_MEMBERS,
    Entry,
    family,
    joined_last,
    joining,
    linked_both,
    log,
    parting,
    shared,
    too_many,
    view,
)
from gateway.core.profiles import Profile, moved, read_version, stranger
from schemas.vocabulary import Purpose
from tests.gateway.core.made import LEARNING, NOW
from tests.gateway.core.test_memory import same


class World:
    """All profiles there are, moved by one process."""

    def __init__(self) -> None:
        self.known: dict[str, Profile] = {}
        self.number = 0

    def own(self, id_: str) -> Profile:
        return self.known.setdefault(id_, stranger(id_, LEARNING))

    def move(self, moves: dict[str, Memory]) -> None:
        self.number += 1
        for id_, memory in moves.items():
            self.known[id_] = moved(self.own(id_), "p", [(self.number, memory)])

    def seen(self, id_: str) -> Profile:
        self.own(id_)
        found = family(id_, self.known)
        while found.missing:
            for missing in found.missing:
                self.own(missing)
            found = family(id_, self.known)
        return view(id_, found, self.known)

    def ids(self, id_: str) -> set[str]:
        self.seen(id_)
        return set(family(id_, self.known).ids)

    def join(self, device: str, person: str, at: float = NOW) -> None:
        ends = self.own(device), self.own(person)
        self.move(joining(*ends, (self.seen(device), self.seen(person)), at))

    def part(self, device: str, person: str, at: float = NOW) -> None:
        self.move(parting(self.own(device), self.own(person), at))

    def view(self, id_: str, at: float = NOW, block: str = "travel") -> None:
        self.move({id_: remember([(Event(f"{id_}{at}", "view", id_, at), {block: 1.0})], LEARNING)})


@pytest.fixture
def world() -> World:
    return World()


def unlinked(profile: Profile) -> Memory:
    return replace(profile.memory, persons={}, members=Members())


def test_who_is_joined_to_nobody_is_seen_as_they_are(world):
    world.view("a")
    assert world.seen("a") is world.known["a"]
    assert world.ids("a") == {"a"}


def test_what_was_learned_before_a_login_counts_at_once_for_the_person_and_all_devices(world):
    world.view("phone", NOW, "travel")
    world.view("laptop", NOW + 1, "city")
    world.join("phone", "ann", NOW + 2)
    world.join("laptop", "ann", NOW + 3)
    world.view("phone", NOW + 4, "climbing")
    for id_ in ("ann", "phone", "laptop"):
        seen = world.seen(id_)
        assert (seen.id, seen.memory.page_views) == (id_, 3)
        assert seen.usual.keys() == {"travel", "city", "climbing"}
    assert world.seen("ann").memory == world.seen("phone").memory == world.seen("laptop").memory


def test_after_parting_each_has_what_it_learned_itself(world):
    lonely = World()
    for each in (world, lonely):
        each.view("phone", NOW, "travel")
        each.view("ann", NOW, "city")
    world.join("phone", "ann", NOW + 1)
    for each in (world, lonely):
        each.view("phone", NOW + 2, "climbing")
        each.view("ann", NOW + 3, "water")
    world.part("phone", "ann", NOW + 4)
    for id_ in ("phone", "ann"):
        assert unlinked(world.seen(id_)) == unlinked(lonely.seen(id_))


def test_joining_parting_and_joining_again_is_joined_even_by_clocks_that_run_behind(world):
    world.join("phone", "ann", NOW)
    world.part("phone", "ann", NOW - 60)
    assert world.ids("ann") == {"ann"}
    world.join("phone", "ann", NOW - 120)
    assert world.ids("ann") == world.ids("phone") == {"ann", "phone"}


def test_a_device_is_read_as_whom_it_was_joined_to_last(world):
    for person, at in (("ann", NOW), ("bob", NOW + 1)):
        world.view(person, at, person)
        world.join("tablet", person, at)
    assert (world.ids("tablet"), world.ids("ann")) == ({"tablet", "bob"}, {"tablet", "ann"})
    world.join("tablet", "ann", NOW + 2)
    assert world.ids("tablet") == {"tablet", "ann"}
    world.part("tablet", "ann", NOW + 3)
    assert world.ids("tablet") == {"tablet", "bob"}


def test_a_device_of_many_persons_is_shared_and_nobodys_until_some_part(world):
    persons = ["ann", "bob", "cem", "dee"]
    world.view("tablet")
    for place, person in enumerate(persons):
        world.join("tablet", person, NOW + place)
    assert shared(world.known["tablet"].memory)
    assert world.ids("tablet") == {"tablet"}
    assert [world.ids(person) for person in persons] == [{person} for person in persons]
    world.part("tablet", "dee", NOW + 9)
    assert world.ids("tablet") == {"tablet", "cem"} == world.ids("cem")


def test_a_person_joined_to_another_brings_its_devices_and_takes_them_along_again(world):
    world.join("phone", "ann", NOW)
    world.join("ann", "crm-7", NOW + 1)
    world.join("laptop", "ann", NOW + 2)
    everybody = {"phone", "laptop", "ann", "crm-7"}
    assert [world.ids(id_) for id_ in sorted(everybody)] == [everybody] * 4
    world.part("ann", "crm-7", NOW + 3)
    assert (world.ids("phone"), world.ids("crm-7")) == ({"phone", "laptop", "ann"}, {"crm-7"})


def test_a_ring_that_two_processes_closed_is_one_person_for_all(world):
    world.join("phone", "ann", NOW)
    one, other = (
        joining(world.own(a), world.own(b), (world.own(a), world.own(b)), NOW)
        for a, b in (("ann", "bob"), ("bob", "ann"))
    )
    world.move(one)
    world.move(other)
    everybody = {"phone", "ann", "bob"}
    assert [world.ids(id_) for id_ in everybody] == [everybody] * 3
    assert len({to_bytes(world.seen(id_).memory) for id_ in everybody}) == 1


def test_a_link_of_one_side_alone_does_not_count(world):
    world.move(
        {"ann": replace(blank(LEARNING), members=Members({"phone": Link(NOW, True), "pad": Link(NOW, True)}))}
    )
    world.move({"phone": replace(blank(LEARNING), persons={"ann": Link(NOW, True)})})
    assert world.ids("ann") == {"ann", "phone"}
    world.move({"ann": replace(blank(LEARNING), forgotten=NOW + 1)})
    assert world.ids("phone") == {"phone"}


def test_marks_do_not_reach_over_to_what_others_learned(world):
    world.view("ann", NOW - 9, "old")
    world.move({"ann": replace(blank(LEARNING), unlearned=NOW, forgotten=NOW - 5)})
    world.view("phone", NOW - 20, "travel")
    world.join("phone", "ann", NOW + 1)
    assert world.seen("ann").usual.keys() == {"travel"}
    assert world.seen("ann").memory.forgotten == NOW - 5
    assert world.seen("phone").memory.forgotten is None


def test_the_last_word_of_the_person_holds_for_all_devices(world):
    said = {Purpose.PERSONALIZATION: Answer(True, NOW)}, {Purpose.PERSONALIZATION: Answer(False, NOW + 1)}
    world.move({"phone": replace(blank(LEARNING), consents=said[0], traits={"plan": Trait("gold", NOW)})})
    world.move({"ann": replace(blank(LEARNING), consents=said[1], traits={"plan": Trait("none", NOW - 1)})})
    world.join("phone", "ann")
    assert world.seen("phone").memory.consents == said[1]
    assert world.seen("ann").memory.traits == {"plan": Trait("gold", NOW)}


# --- origin ---


def test_whoever_was_seen_first_is_the_origin_and_stays_it(world):
    assert stranger("phone", LEARNING).origin == "phone"
    world.view("phone", NOW)
    world.view("ann", NOW + 10)
    world.join("phone", "ann", NOW + 20)
    assert (world.seen("phone").origin, world.seen("ann").origin) == ("phone", "phone")
    world.view("laptop", NOW - 500)
    world.join("laptop", "ann", NOW + 30)
    assert {world.seen(id_).origin for id_ in ("ann", "phone", "laptop")} == {"phone"}
    world.part("phone", "ann", NOW + 40)
    assert [world.seen(id_).origin for id_ in ("ann", "phone", "laptop")] == ["phone"] * 3


def test_a_person_seen_before_the_device_keeps_its_own_assignments(world):
    world.view("ann", NOW)
    world.view("phone", NOW + 1)
    world.join("phone", "ann", NOW + 2)
    assert world.seen("phone").origin == "ann"
    world.part("phone", "ann", NOW + 3)
    assert world.seen("phone").origin == "phone"


def test_a_device_never_seen_before_is_the_origin_of_a_new_person(world):
    world.join("phone", "ann")
    assert world.seen("ann").origin == "phone"


def test_a_shared_device_is_nobodys_origin(world):
    for place in range(4):
        world.join("tablet", f"p{place}", NOW + place)
    assert [world.seen(f"p{place}").origin for place in range(4)] == ["tablet"] * 3 + ["p3"]


def test_two_processes_that_settle_different_origins_agree_on_the_first(world):
    for at, id_ in ((NOW + 2, "laptop"), (NOW + 1, "phone")):
        world.move({"ann": replace(blank(LEARNING), members=Members(origin=Origin(at, id_)))})
    assert world.seen("ann").origin == "phone"


# --- limits ---


def test_a_person_has_so_many_devices(world):
    for place in range(MOST_MEMBERS):
        world.join(f"d{place:02}", "ann", NOW + place)
    found = family("ann", world.known)
    assert too_many(world.own("more"), found)
    assert not too_many(world.own("d00"), found)
    world.part("d00", "ann", NOW + 99)
    assert not too_many(world.own("more"), family("ann", world.known))


def test_of_devices_over_the_limit_those_of_longest_standing_count(world):
    for place in range(MOST_MEMBERS + 2):
        world.join(f"d{place:02}", "ann", NOW + place)
    assert world.ids("ann") == {"ann", *(f"d{place:02}" for place in range(MOST_MEMBERS))}
    assert world.ids(f"d{MOST_MEMBERS}") == {f"d{MOST_MEMBERS}"}
    world.part("d00", "ann", NOW + 99)
    assert world.ids(f"d{MOST_MEMBERS}") == world.ids("ann")


# --- the whole ---


def test_the_version_of_a_view_is_the_latest_of_each_process_and_can_be_passed_back(world):
    for place in range(MOST_MEMBERS):
        world.join(f"d{place}", "ann", NOW + place)
        many = {f"q{place}x{n}": n + 1 for n in range(20)}
        world.known[f"d{place}"] = replace(
            world.own(f"d{place}"), clock={**world.own(f"d{place}").clock, **many}
        )
    seen = world.seen("ann")
    assert read_version(seen.version) == seen.clock
    assert len(seen.clock) == 32


def test_links_are_stored_and_a_profile_without_them_is_still_read(world):
    world.join("phone", "ann")
    for id_ in ("phone", "ann"):
        memory = world.known[id_].memory
        assert from_bytes(to_bytes(memory)) == memory
    assert b"persons" not in to_bytes(blank(LEARNING))
    assert world.known["ann"].memory.last_touched == NOW


def test_a_view_that_is_recorded_says_nothing_of_other_ids_but_the_origin(world):
    world.join("phone", "ann")
    memory = world.seen("ann").memory
    assert (memory.persons, memory.members) == ({}, Members(origin=Origin(NOW, "phone")))


def test_the_log_has_the_last_word_on_each_link(world):
    world.join("phone", "ann", NOW)
    world.join("pad", "ann", NOW + 1)
    world.part("phone", "ann", NOW + 2)
    assert log(world.known["ann"].memory) == [Entry(NOW + 2, "phone", False), Entry(NOW + 1, "pad", True)]
    assert log(world.known["pad"].memory) == [Entry(NOW + 1, "ann", True)]


def test_what_joining_again_would_change(world):
    world.join("phone", "ann")
    ends = world.own("phone"), world.own("ann")
    assert linked_both(*ends)
    assert joined_last(*ends)
    world.join("phone", "bob", NOW + 1)
    ends = world.own("phone"), world.own("ann")
    assert linked_both(*ends)
    assert not joined_last(*ends)


ids = st.sampled_from(["a", "b", "c", "k", "l"])
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("join"), ids, ids),
        st.tuples(st.just("part"), ids, ids),
        st.tuples(st.just("view"), ids, ids),
    ),
    max_size=14,
)


@settings(max_examples=60)
@given(deeds, st.randoms(use_true_random=False))
def test_any_order_of_joins_partings_and_events_gives_the_same_views(deeds, chance):
    world = World()
    moves = []
    for place, (deed, one, other) in enumerate(deeds):
        if deed == "view":
            memory = remember([(Event("e", "view", one, NOW + place), {other: 1.0})], LEARNING)
            moves.append({one: memory})
        elif one != other:
            device, person = world.own(one), world.own(other)
            at = NOW + place
            moves.append(
                joining(device, person, (world.seen(one), world.seen(other)), at)
                if deed == "join"
                else parting(device, person, at)
            )
        else:
            continue
        world.move(moves[-1])
    shuffled = World()
    chance.shuffle(moves)
    for move in moves:
        shuffled.move(move)
    for id_ in ("a", "b", "c", "k", "l"):
        assert shuffled.ids(id_) == world.ids(id_)
        assert same(shuffled.seen(id_).memory, world.seen(id_).memory)
        assert shuffled.seen(id_).origin == world.seen(id_).origin
    views = sum(deed == "view" for deed, *_ in deeds)
    assert sum(profile.memory.page_views for profile in world.known.values()) == views
