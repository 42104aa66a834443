"""The way through the demo in the terminal: who sees what, why, and what one click changes."""

import secrets
from collections.abc import Mapping
from typing import Any

import httpx
from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from gateway.demo.spaces import MSWEB, SHOP, personas

PAGE = """query ($visitor: ID, $context: ContextInput, $atLeast: String) {
  page(slug: "home", visitor: $visitor, context: $context, atLeast: $atLeast) {
    slots { name blocks { key variant reason { summary } } }
  }
}"""
TRACK = """mutation ($events: [EventInput!]!) {
  track(events: $events) {
    accepted duplicates visitors { interests(first: 4) { tag weight } segments profileVersion }
  }
}"""
FEED = """query ($visitor: ID) {
  recommendations(visitor: $visitor, where: {type: ["Area"]}, first: 6) {
    edges { node { score content { ... on Area { title } } reason { because { tag } } } }
  }
}"""
CLIMBER, KAYAKER = 0, 3  # of the personas
PURCHASE = {"type": "purchase", "block": "eider-kayak", "value": 899.0}
READ = ("area-1015", "area-1060", "area-1031")  # Excel, Word, Office

Page = Mapping[str, list[Mapping[str, Any]]]


class Walk:
    def __init__(self, http: httpx.AsyncClient, out: Console) -> None:
        self._http = http
        self._out = out

    async def go(self) -> None:
        people = personas()
        climber, kayaker = people[CLIMBER], people[KAYAKER]
        for person in (climber, kayaker):
            await self._past(person)
        self._out.rule("One query, two visitors")
        self._show(PAGE)
        before = await self._page(climber)
        self._table(climber, before)
        self._table(kayaker, await self._page(kayaker))
        self._out.rule(f"{climber['name']} buys a kayak")
        self._show(TRACK)
        taken = await self._track(climber, [PURCHASE | {"id": f"walk-{secrets.token_hex(6)}"}])
        interests = ", ".join(f"{one['tag']} {one['weight']:.2f}" for one in taken["interests"])
        self._out.print(
            f"accepted and on disk. {climber['name']}'s interests are now: [bold]{interests}[/]\n"
        )
        self._table(climber, await self._page(climber, taken["profileVersion"]), before)
        await self._feeds()

    async def _past(self, person: Mapping[str, Any]) -> None:
        """What the person did before; the ids are fixed, so that it counts once however often one walks."""
        named = [{"id": f"{person['visitor']}-{n}", **event} for n, event in enumerate(person["events"])]
        await self._track(person, named)

    async def _track(self, person: Mapping[str, Any], events: list[dict[str, Any]]) -> Any:
        sent = [{"visitor": person["visitor"], "context": person["context"], **event} for event in events]
        return (await self._ask(SHOP, TRACK, events=sent))["track"]["visitors"][0]

    async def _page(self, person: Mapping[str, Any], at_least: str | None = None) -> Page:
        found = await self._ask(
            SHOP, PAGE, visitor=person["visitor"], context=person["context"], atLeast=at_least
        )
        return {slot["name"]: slot["blocks"] for slot in found["page"]["slots"]}

    async def _feeds(self) -> None:
        self._out.rule("Areas of a real site, ranked by what its visitors did")
        self._show(FEED)
        reader = f"reader-{secrets.token_hex(4)}"
        events = [{"type": "like", "visitor": reader, "block": block} for block in READ]
        await self._ask(MSWEB, TRACK, events=events)
        table = Table("for somebody new", "for a reader of three areas about Office")
        strangers, readers = await self._feed(None), await self._feed(reader)
        for one, other in zip(strangers, readers, strict=True):
            table.add_row(one, other)
        self._out.print(table)

    async def _feed(self, visitor: str | None) -> list[str]:
        found = await self._ask(MSWEB, FEED, visitor=visitor)
        return [_area(edge["node"]) for edge in found["recommendations"]["edges"]]

    async def _ask(self, space: str, query: str, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = (await self._http.post("/graphql", json=body, headers={"blockloom-space": space})).json()
        if "errors" in answer:
            raise RuntimeError(f"the demo was refused: {answer['errors'][0]['message']}")
        return answer["data"]

    def _show(self, query: str) -> None:
        self._out.print(Syntax(query, "graphql", theme="ansi_dark", background_color="default"))

    def _table(self, person: Mapping[str, Any], page: Page, before: Page | None = None) -> None:
        self._out.print(Panel(person["story"], title=person["name"], expand=False))
        table = Table("slot", "block", "variant", "why")
        for slot, blocks in page.items():
            known = [_shown(block) for block in before[slot]] if before else None
            for block in blocks[:4]:
                changed = known is not None and _shown(block) not in known
                style = "bold green" if changed else None
                why = block["reason"]["summary"]
                table.add_row(
                    slot, block["key"], block["variant"], f"CHANGED  {why}" if changed else why, style=style
                )
        self._out.print(table)


def _shown(block: Mapping[str, Any]) -> tuple[str, str]:
    return block["key"], block["variant"]


def _area(node: Mapping[str, Any]) -> str:
    because = ", ".join(one["tag"] for one in node["reason"]["because"])
    return f"{node['content']['title']}  [dim]{because or 'popular'}[/]"
