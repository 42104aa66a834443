"""Programs are told from visitors, and counted apart."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.core.context import Context, ContextReader
from gateway.core.events import Event
from gateway.errors import BadInput
from gateway.services.bots import RECENT, Asking, Bots, ranges_of
from gateway.settings import Settings

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CRAWLER, HOUSEHOLD, OTHER = "66.249.66.1", "81.2.69.142", "81.2.69.143"
HEADLESS = '"Chromium";v="142", "HeadlessChrome";v="142", "Not_A Brand";v="99"'
MAIN = Asking("main")


def bots(**settings: Any) -> Bots:
    return Bots(Settings(**settings))


def read(found: Bots, headers: Mapping[str, str], ip: str = HOUSEHOLD, given: Any = None) -> Context:
    return ContextReader(asks_from=found.ranges.hold).read(headers, ip, given, time.time())


def events(visitor: str, number: int, at: float) -> list[Event]:
    return [Event(id=f"{visitor}-{n}", type="view", visitor=visitor, at=at) for n in range(number)]


@pytest.mark.parametrize(
    ("headers", "ip", "sign"),
    [
        ({"user-agent": GOOGLEBOT}, HOUSEHOLD, "user-agent"),
        ({"user-agent": CHROME, "sec-ch-ua": HEADLESS}, HOUSEHOLD, "sec-ch-ua"),
        (
            {"user-agent": CHROME, "sec-ch-ua-full-version-list": HEADLESS},
            HOUSEHOLD,
            "sec-ch-ua-full-version-list",
        ),
        ({"user-agent": CHROME}, CRAWLER, "address"),
        ({}, CRAWLER, "address"),
    ],
)
def test_a_program_gives_itself_away(headers: dict[str, str], ip: str, sign: str) -> None:
    found = bots()
    context = found.page(read(found, headers, ip), MAIN, "v")
    assert (context.bot, context.facts["device"]["type"], found.counts) == (True, "bot", {("pages", sign): 1})


@pytest.mark.parametrize(
    "agent", [CHROME, "node", "okhttp/4.9.3", "analytics-node/2.0.0", "python-requests/2.31"]
)
def test_people_and_servers_that_speak_for_them_are_none(agent: str) -> None:
    found = bots()
    context = read(found, {"user-agent": agent})
    assert (found.page(context, MAIN, "v"), found.sign(agent, HOUSEHOLD), found.counts) == (context, None, {})


def test_a_server_may_say_outright_that_its_visitor_is_none() -> None:
    found = bots()
    said = {"device": {"type": "mobile", "bot": False}}
    assert not read(found, {"user-agent": CHROME}, CRAWLER, said).bot


def test_a_visitor_faster_than_anybody_is_a_bot_until_it_slows_down() -> None:
    found = bots(bot_rate="30/second")
    context = read(found, {"user-agent": CHROME})
    flags = [found.page(context, MAIN, "fast").bot for _ in range(60)]
    assert (flags[:30], flags[40:]) == ([False] * 30, [True] * 20)
    assert not found.page(context, MAIN, "slow").bot
    assert not found.page(context, Asking("other"), "fast").bot
    assert found.counts["pages", "rate"] == flags.count(True)
    assert found.page(context, MAIN, "fast").facts["device"] == {
        **context.facts["device"],
        "type": "bot",
        "bot": True,
    }
    time.sleep(3)  # what must pass is time itself
    assert not found.page(context, MAIN, "fast").bot


def test_an_address_is_too_fast_whoever_it_says_it_is() -> None:
    found = bots(bot_address_rate="50/minute")
    context = read(found, {"user-agent": CHROME})
    flags = [found.page(context, Asking("main", HOUSEHOLD), f"v{n}").bot for n in range(100)]
    assert flags == [False] * 50 + [True] * 50
    assert not found.page(context, Asking("main", OTHER), "v").bot
    assert not found.page(context, MAIN, "v").bot


def test_a_day_that_is_sent_again_was_not_done_in_a_moment() -> None:
    found, now = bots(bot_rate="50/minute"), time.time()
    assert found.hurried(events("late", 5_000, now - RECENT - 1), MAIN, now) == frozenset()
    assert found.hurried(events("fast", 51, now) + events("slow", 49, now), MAIN, now) == {"fast"}
    assert found.counts == {("events", "rate"): 51}


def test_events_of_bots_are_refused_and_those_of_others_taken() -> None:
    found, now = bots(), time.time()
    bot, person = read(found, {"user-agent": GOOGLEBOT}), read(found, {"user-agent": CHROME})
    some = [*events("a", 1, now), *events("b", 1, now)]
    assert set(found.refused(some, {"a": bot}, person, MAIN, now)) == {"a-0"}
    assert set(found.refused(some, {"a": person}, bot, MAIN, now)) == {"b-0"}
    assert found.counts == {("events", "user-agent"): 2}


def test_without_rates_nobody_is_too_fast() -> None:
    found, now = bots(bot_rate="0", bot_address_rate="0"), time.time()
    assert found.hurried(events("fast", 5_000, now), Asking("main", HOUSEHOLD), now) == frozenset()


def test_a_file_adds_ranges(tmp_path: Path) -> None:
    file = tmp_path / "ours.txt"
    file.write_text(f"# monitors\n{HOUSEHOLD}\n")
    found = bots(bot_ranges=file)
    assert [found.sign(None, address) for address in (HOUSEHOLD, OTHER, CRAWLER)] == [
        "address",
        None,
        "address",
    ]


@pytest.mark.parametrize("text", ["81.2.69", "0.0.0.0/0", "\xff"])
def test_a_file_that_cannot_be_right_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ours.txt"
    file.write_text(text, "latin-1")
    with pytest.raises(BadInput, match="ours"):
        ranges_of(file)
    with pytest.raises(BadInput, match="missing"):
        ranges_of(tmp_path / "missing.txt")
