"""A walk through the demo in the terminal: who sees what, what one mutation changes, and forgetting."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from gateway.console.stages import Persona, Stage
from gateway.demo.asking import AREAS, FORGET, PAGE, TRACK, VISITOR, Frontend
from recommenders.features import WORD_PREFIX

SHOWN = 3  # blocks of a feed that the tables name
KNOWN, STRANGER = "maya", "haruka"
DID: Sequence[Mapping[str, Any]] = (
    {"type": "add_to_cart", "block": "eider-kayak"},
    {"type": "like", "block": "story-harbour"},
)
READER = "msweb-10010"
NEWCOMER = "newcomer"

Slots = Mapping[str, Mapping[str, Any]]  # what stands in each slot, and why


class Walk:
    def __init__(self, frontend: Frontend, console: Console, stages: Sequence[Stage]) -> None:
        self._frontend = frontend
        self._console = console
        self._stages = {stage.space: stage for stage in stages}

    async def run(self) -> None:
        known, stranger = (self._persona("shop", name) for name in (KNOWN, STRANGER))
        await self._forget(stranger)  # whatever an earlier walk that was cut short has left
        self._title("One query, two people")
        self._code(PAGE)
        await self._page(known)
        before = await self._page(stranger)
        after = await self._changed(stranger, before)
        self._compare(before, after)
        await self._forgotten(stranger, before)
        await self._areas()

    async def _page(self, persona: Persona) -> Slots:
        slots, took = await self._ask(persona)
        table = Table("slot", "block / variant", "why", title_justify="left", box=None, padding=(0, 2, 0, 0))
        table.title = f"[bold]{escape(persona.name)}[/] [dim]{escape(persona.story)}[/]"
        for name, slot in slots.items():
            table.add_row(f"[cyan]{escape(name)}[/]", escape(slot["shown"]), f"[dim]{escape(slot['why'])}[/]")
        self._console.print(table, f"[dim]answered in {took:.1f} ms[/]\n")
        return slots

    async def _ask(self, persona: Persona, at_least: str | None = None) -> tuple[Slots, float]:
        answer = await self._frontend.ask(
            "shop", PAGE, slug="home", visitor=persona.visitor, context=persona.context, atLeast=at_least
        )
        return {
            slot["name"]: _slot(slot["blocks"]) for slot in answer.data["page"]["slots"]
        }, answer.milliseconds

    async def _changed(self, persona: Persona, before: Slots) -> Slots:
        self._title(f"{persona.name} puts a kayak into the cart: one mutation")
        self._code(TRACK)
        events = [{**event, "visitor": persona.visitor} for event in DID]
        told = await self._frontend.ask("shop", TRACK, events=events)
        taken = told.data["track"]
        (visitor,) = taken["visitors"]
        self._console.print(
            f"{taken['accepted']} events accepted, durable in {told.milliseconds:.1f} ms; "
            f"interests now: {_interests(visitor)}\n"
        )
        after, took = await self._ask(persona, visitor["profileVersion"])
        changed = sum(before[name]["shown"] != slot["shown"] for name, slot in after.items())
        self._title(f"The very next page: {changed} of {len(after)} slots changed")
        self._console.print(f"[dim]answered in {took:.1f} ms[/]")
        return after

    def _compare(self, before: Slots, after: Slots) -> None:
        table = Table("", "slot", "before", "after", box=None, padding=(0, 2, 0, 0))
        for name, slot in after.items():
            was, now = before[name]["shown"], slot["shown"]
            mark, style = ("●", "bold green") if was != now else ("", "dim")
            table.add_row(mark, name, escape(was), escape(now) if was != now else "", style=style)
        self._console.print(table, "")

    async def _forgotten(self, persona: Persona, before: Slots) -> None:
        self._title(f"{persona.name} asks to be forgotten")
        self._code(FORGET)
        gone = await self._forget(persona)
        again, _ = await self._ask(persona)
        same = all(again[name]["shown"] == slot["shown"] for name, slot in before.items())
        self._console.print(
            f"{gone['events']} events and {gone['profiles']} profile erased; "
            f"the page is {'the first one again' if same else 'chosen for a stranger again'}.\n"
        )

    async def _forget(self, persona: Persona) -> Mapping[str, Any]:
        answer = await self._frontend.ask("shop", FORGET, visitor=persona.visitor)
        gone: Mapping[str, Any] = answer.data["forget"]
        return gone

    async def _areas(self) -> None:
        reader = self._persona("msweb", READER)
        self._title("Real visits: the feed of a newcomer, and of a reader")
        self._code(AREAS)
        known = (await self._frontend.ask("msweb", VISITOR, visitor=READER)).data["visitor"]
        table = Table(
            "", "a newcomer", f"{escape(reader.name)} (visitor {READER})", box=None, padding=(0, 2, 0, 0)
        )
        feeds = [await self._feed(visitor) for visitor in (NEWCOMER, READER)]
        for rank, (one, other) in enumerate(zip_longest(*feeds, fillvalue=""), 1):
            style = "green" if other not in feeds[0] else ""
            table.add_row(
                f"[dim]{rank}[/]", escape(one), f"[{style}]{escape(other)}[/]" if style else escape(other)
            )
        read = f"{escape(reader.story)} Interests: {_interests(known) if known else 'not replayed yet'}"
        self._console.print(f"[dim]{read}[/]", table, "")

    async def _feed(self, visitor: str) -> list[str]:
        answer = await self._frontend.ask("msweb", AREAS, visitor=visitor)
        return [block["content"]["title"] for block in answer.data["page"]["slot"]["blocks"]]

    def _persona(self, space: str, visitor: str) -> Persona:
        return next(persona for persona in self._stages[space].personas if persona.visitor == visitor)

    def _title(self, text: str) -> None:
        self._console.rule(f"[bold]{escape(text)}", align="left", style="dim")

    def _code(self, graphql: str) -> None:
        self._console.print(Syntax(graphql, "graphql", theme="ansi_dark", background_color="default"), "")


def _slot(blocks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    first = [_name(block) for block in blocks[:SHOWN]]
    more = f", and {len(blocks) - SHOWN} more" if len(blocks) > SHOWN else ""
    return {"shown": ", ".join(first) + more, "why": blocks[0]["reason"]["summary"] if blocks else ""}


def _name(block: Mapping[str, Any]) -> str:
    return str(block["key"]) if block["variant"] == "default" else f"{block['key']} / {block['variant']}"


def _interests(visitor: Mapping[str, Any]) -> str:
    def said() -> Iterator[str]:
        for interest in visitor["interests"]:
            yield f"{interest['tag'].removeprefix(WORD_PREFIX)} {interest['weight']:.2f}"

    return escape(", ".join(said()))
