import json
import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx

from gateway.app import build_app
from gateway.console.preview import HEADERS
from gateway.core.bundles import Bundle
from gateway.services.gateway import Gateway
from tests.gateway.demo.test_shop import EXPECTED

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Found(HTMLParser):
    """The tags of a page, and the variant that each slot of one block shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.shown: dict[str, str] = {}
        self._slot = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self._slot = found.get("data-slot") or self._slot
        if variant := found.get("data-variant"):
            self.shown.setdefault(self._slot, variant)

    def of(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]


async def seen(http: httpx.AsyncClient, path: str = "/preview/shop/home", **query: str) -> str:
    answer = await http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


async def shown(http: httpx.AsyncClient, **query: str) -> dict[str, str]:
    return Found(await seen(http, **query)).shown


# --- what it shows ---


async def test_the_start_leads_to_the_first_space(http: httpx.AsyncClient) -> None:
    answer = await http.get("/")

    assert (answer.status_code, answer.headers["location"]) == (307, "/preview/shop/home")


async def test_each_persona_sees_the_variants_made_for_them(http: httpx.AsyncClient) -> None:
    found = {persona: await shown(http, persona=persona) for persona in EXPECTED}

    assert {
        persona: {slot: found[persona][slot] for slot in slots} for persona, slots in EXPECTED.items()
    } == EXPECTED


async def test_the_form_changes_the_circumstances(http: httpx.AsyncClient) -> None:
    given = {"persona": "maya", "country": "AU", "device": "desktop", "date": "2027-01-14", "hour": "9"}
    text = await seen(http, **given)

    assert Found(text).shown["seasonal"] == "southern-summer"
    assert "Thursday, 14 January 2027, 09:00 · Australia · desktop" in text
    assert Found(text).of("option", value="AU", selected=None) == [{"value": "AU", "selected": None}]


async def test_without_a_visitor_there_is_nothing_to_click_and_nothing_known(http: httpx.AsyncClient) -> None:
    text = await seen(http, persona="")

    assert "circumstances alone" in text
    assert not Found(text).of("button", **{"data-action": "like"})


async def test_any_visitor_can_be_named(http: httpx.AsyncClient) -> None:
    assert "A visitor of this space." in await seen(http, persona="somebody-else")


async def test_a_block_says_why_it_is_shown_and_its_candidates_why_they_are_not(
    http: httpx.AsyncClient,
) -> None:
    text = unescape(await seen(http, persona="maya"))

    assert (
        "The first variant whose rule holds: segments has climbers and time.month is 11, 12, 1 or 2." in text
    )
    assert re.search(r'<code>geo.country \$eq "AU"</code>\s+is "GB"', text)


async def test_an_event_changes_the_page_that_includes_it(http: httpx.AsyncClient) -> None:
    before = await shown(http, persona="haruka")
    track = """mutation($events: [EventInput!]!) { track(events: $events) { visitors { profileVersion } } }"""
    events = [{"type": "add_to_cart", "visitor": "haruka", "block": "eider-kayak"}]
    answer = await http.post(
        "/graphql",
        json={"query": track, "variables": {"events": events}},
        headers={"blockloom-space": "shop"},
    )
    version = answer.json()["data"]["track"]["visitors"][0]["profileVersion"]

    after = await shown(http, persona="haruka", atLeast=version)

    assert (before["hero"], after["hero"]) == ("newcomers", "paddlers")


async def test_a_block_without_a_template_shows_its_data(gateway: Gateway, http: httpx.AsyncClient) -> None:
    await _publish(gateway, {"name": "Plain", "schema": {"type": "object"}})

    (shown,) = re.findall("<pre>(.*?)</pre>", await seen(http, "/preview/other/home"), re.DOTALL)

    assert json.loads(unescape(shown)) == {"title": HOSTILE}


# --- what it refuses ---


REFUSALS = (
    ("/preview/nowhere/home", 404, "there is no space 'nowhere'"),
    ("/preview/日本/home", 404, "there is no space '日本'"),
    ("/preview/shop/nothing", 404, "its pages: home, journal, sale"),
    ("/preview/shop/home?hour=25", 400, "an hour from 0 to 23"),
    ("/preview/shop/home?country=XX", 400, "ISO 3166-1"),
    ("/preview/shop/home?device=fridge", 400, "must be one of"),
    ("/preview/shop/home?atLeast=x", 400, "profileVersion"),
    ("/preview/shop/home?persona=" + 201 * "x", 400, "1 to 200 printable characters"),
)


async def test_what_cannot_be_shown_is_said_in_a_sentence(http: httpx.AsyncClient) -> None:
    answers = [(await http.get(path), status, says) for path, status, says in REFUSALS]

    assert [answer.status_code for answer, _, _ in answers] == [status for _, status, _ in answers]
    assert [says for answer, _, says in answers if says not in unescape(answer.text)] == []


async def test_there_is_no_preview_where_access_is_not_open(gateway: Gateway) -> None:
    transport = httpx.ASGITransport(build_app(gateway))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        assert [(await http.get(path)).status_code for path in ("/", "/preview/shop/home")] == [404, 404]


# --- what it guards against ---


async def test_hostile_content_and_parameters_stay_text(gateway: Gateway, http: httpx.AsyncClient) -> None:
    await _publish(
        gateway, {"name": "Plain", "schema": {"type": "object"}, "template": "<p>{{ data.title }}</p>"}
    )
    clean = await seen(http, "/preview/other/home", persona="somebody")
    text = await seen(http, "/preview/other/home", persona=HOSTILE)

    assert [tag for tag, _ in Found(text).tags] == [tag for tag, _ in Found(clean).tags]
    assert HOSTILE not in text
    assert HOSTILE in unescape(text)


async def test_every_page_allows_our_own_files_alone(http: httpx.AsyncClient) -> None:
    for path in ("/preview/shop/home", "/preview/shop/nothing"):
        answer = await http.get(path)
        found = Found(answer.text)

        assert HEADERS.items() <= dict(answer.headers).items()
        assert not found.of("style")
        assert not [a for _, a in found.tags if "style" in a or any(name.startswith("on") for name in a)]
        files = [attrs["href"] for attrs in found.of("link", rel="stylesheet")]
        files += [attrs["src"] for attrs in found.of("script")]
        assert [(await http.get(str(file))).status_code for file in files] == [200] * len(files)


async def _publish(gateway: Gateway, block_type: dict[str, Any]) -> None:
    slots = [{"name": "one", "strategy": "rules", "block": "one"}]
    bundle = Bundle.of(
        {
            "blockType": [block_type],
            "block": [{"key": "one", "type": "Plain", "data": {"title": HOSTILE}, "tags": {HOSTILE: 1.0}}],
            "page": [{"slug": "home", "title": HOSTILE, "slots": slots}],
        }
    )
    await (await gateway.create_space("other")).authoring.load(bundle, "test")
