"""Queries and variables made to keep a gateway busy are refused by a code, quickly, and hold nobody else up."""

import asyncio
import gc
import json
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLError, parse

from gateway.api.failures import worded
from gateway.api.schema import SpaceSchema, build_schema
from schemas.vocabulary import Scope
from tests.gateway.live import live

QUICK = 0.005  # seconds of CPU for a refusal
LAG = 0.010  # seconds that the event loop may be held up
ROUNDS = 5  # one of which must hold: others keep this machine busy too
TYPES = {
    f"Type{number}": {"type": "object", "properties": {f"field{n}": {"type": "string"} for n in range(10)}}
    for number in range(40)
}

PARSE, VALIDATION, INPUT = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_INPUT"
LARGE, DEEP, COMPLEX = "TOO_LARGE", "TOO_DEEP", "TOO_COMPLEX"


def page(selection: str, arguments: str = 'slug:"home"') -> str:
    return f"{{page({arguments}){{{selection}}}}}"


def many(part: str, count: int) -> str:
    return " ".join(part.format(n=n, next=n + 1) for n in range(count))


def chain(count: int, body: str) -> str:
    """Fragments on Page from F0 on; `body` may hold {n} and {next}, their numbers."""
    return page("...F0") + " " + many(f"fragment F{{n}} on Page{{{{{body}}}}}", count)


def nested(opening: str, middle: str, closing: str, levels: int) -> str:
    return opening * levels + middle + closing * levels


# --- documents ---

SLOT = 'slot(name:"a")'
TWICE = "a:slots{{...F{next}}} b:slots{{...F{next}}}"
ATTRIBUTES = 'slug:"home",context:{{attributes:{}}}'
BOMBS: dict[str, tuple[str, str]] = {
    "deep: selections": (nested("{page", "", "}", 900), DEEP),
    "deep: selections that end nowhere": ("{a" * 30_000, DEEP),
    "deep: selections within the brackets": (page(nested("slots{blocks{", "key", "}}", 15)), DEEP),
    "deep: inline fragments": (page(nested("...{", "slug", "}", 900)), DEEP),
    "deep: fragments in fragments": (chain(25, "slots{{...F{next}}}"), DEEP),
    "deep: a list": (page("slug", ATTRIBUTES.format(nested("[", "1", "]", 800))), DEEP),
    "deep: an object": (page("slug", ATTRIBUTES.format(nested("{a:", "1", "}", 800))), DEEP),
    "deep: a list that ends nowhere": ("{page(slug:" + "[" * 30_000, DEEP),
    "deep: the type of a variable": (f"query($a:{nested('[', 'Int', ']', 900)}){page('slug')}", DEEP),
    "deep: the default of a variable": (f"query($a:JSON={nested('[', '1', ']', 900)}){page('slug')}", DEEP),
    "deep: behind a quote in a comment": ('#"""\n' + nested("{page", "", "}", 900), DEEP),
    "deep: behind an escaped quote": ('{page(slug:"\\"",also:' + "[" * 900, DEEP),
    "deep: introspection": ("{__schema{types" + nested("{fields{type", "{name}", "}}", 6) + "}}", COMPLEX),
    "wide: unknown fields": (page(many("f{n}", 1_400)), VALIDATION),
    "wide: unknown types": (page(many("...on T{n}{{slug}}", 500)), VALIDATION),
    "wide: unknown arguments": (page("slug", many("a{n}:1", 900)), LARGE),
    "wide: unknown fragments": (page(many("...F{n}", 1_400)), COMPLEX),
    "wide: more tokens than may be": (page("slug " * 20_000), LARGE),
    "wide: one field": (page("slug " * 2_900), COMPLEX),
    "wide: one object": (page("slots{name} " * 700), COMPLEX),
    "wide: one type": (page("...on Page{slug} " * 500), COMPLEX),
    "wide: one slot": (page(f"{SLOT}{{name}} " * 250), COMPLEX),
    "wide: conflicts": (page(many('x:slot(name:"{n}"){{name}}', 190)), COMPLEX),
    "wide: operations": (many("query q{n}{{page{{slug}}}}", 300), LARGE),
    "wide: root fields": ("{" + many('a{n}:page(slug:"h"){{slug}}', 60) + "}", COMPLEX),
    "wide: a literal list": (page("slug", ATTRIBUTES.format("[" + "{a:1}" * 550 + "]")), LARGE),
    "wide: a literal object": (page("slug", ATTRIBUTES.format("{" + many("k{n}:1", 900) + "}")), LARGE),
    "aliases": (page(many("a{n}:slug", 900)), COMPLEX),
    "aliases of a root field": ("{" + many('a{n}:page(slug:"h"){{slug}}', 1_500) + "}", COMPLEX),
    "aliases that double": (chain(15, TWICE) + " fragment F15 on Page{slug}", COMPLEX),
    "lists in lists": (page(many("a{n}:slots{{...S}}", 12)) + "fragment S on Slot{blocks{"
                       + many("r{n}:reason{{candidates{{block variant chosen summary}}}}", 12) + "}}", COMPLEX),
    "fragments in a circle": (chain(9, "...F{next}") + " fragment F9 on Page{...F0}", VALIDATION),
    "a fragment in itself": (page("...F") + " fragment F on Page{slots{blocks{key}} ...F}", VALIDATION),
    "fragments in many circles": (chain(40, "...F{next} ...F0 ...F{n}") + " fragment F40 on Page{...F0}", VALIDATION),
    "fragments that double": (chain(200, "...F{next} ...F{next} ...F{next}") + " fragment F200 on Page{slug}", LARGE),
    "fragments, each with all others": (
        page("...F0") + "".join(f" fragment F{n} on Page{{{many('...F{n}', n)}}}" for n in range(70)), COMPLEX),
    "more fragments than may be": (chain(400, "slug"), LARGE),
    "directives": (page("slug" + " @include(if:true)" * 10_000), LARGE),
    "directives, some hundred": (page("slug" + " @include(if:true)" * 400), LARGE),
    "directives that are unknown": (page("slug" + many(" @d{n}", 1_000)), LARGE),
    "variables": (f"query({many('$v{n}:Int', 900)}){page('slug')}", LARGE),
    "variables by the thousand": (f"query({many('$v{n}:Int', 20_000)}){page('slug')}", LARGE),
    "a megabyte of one name": ("{" + "a" * 1_000_000 + "}", LARGE),
    "a megabyte of fields": ("{" + "a " * 500_000 + "}", LARGE),
    "a megabyte of braces": ("{" * 1_000_000, LARGE),
    "a megabyte of commas": ("{a" + "," * 1_000_000 + "}", LARGE),
    "a megabyte of comments": ("#" * 1_000_000, LARGE),
    "a megabyte of text": (page("slug", f'slug:"{"x" * 1_000_000}"'), LARGE),
    "a long name": ("{" + "a" * 60_000 + "}", LARGE),
    "a long text": (page("slug", f'slug:"{"x" * 60_000}"'), LARGE),
    "a long text of escapes": (page("slug", 'slug:"' + "\\u0041" * 10_000 + '"'), LARGE),
    "a long text of emoji": (page("slug", 'slug:"' + "\U0001f9ed" * 60_000 + '"'), LARGE),
    "a long block of text": (page("slug", 'slug:"""' + "\n" * 60_000 + '"""'), LARGE),
    "a long comment": ("#" + "x" * 60_000 + "\n" + page("slug"), LARGE),
    "many comments": ("#\n" * 30_000 + page("slug"), LARGE),
    "a block of text that ends nowhere": (page("slug", 'slug:"""' + '\\"""' * 15_000), LARGE),
    "quotes": ('"' * 60_000, LARGE),
    "a long number": (page("slug", ATTRIBUTES.format("9" * 60_000)), LARGE),
    "a number of 30 digits": (page("slug", ATTRIBUTES.format("9" * 30)), INPUT),
    "a number that never ends": (page("slug", ATTRIBUTES.format("1e999")), INPUT),
    "a number of many decimals": (page("slug", ATTRIBUTES.format("0." + "1" * 9_000) + " nope:1"), VALIDATION),
    "an escape that is none": (page("slug", 'slug:"\\q"'), PARSE),
    "an escape that ends early": (page("slug", 'slug:"\\u12"'), PARSE),
    "half of a pair": (page("slug", 'slug:"\\ud83d"'), PARSE),
    "the other half first": (page("slug", 'slug:"\\udd2d\\ud83e"'), PARSE),
    "a point beyond Unicode": (page("slug", 'slug:"\\u{110000}"'), PARSE),
    "a point of many digits": (page("slug", 'slug:"\\u{' + "0" * 5_000 + '41}"'), PARSE),
    "a NUL": ("{page\0}", PARSE),
    "NULs": ("\0" * 60_000, LARGE),
    "a mark of byte order within": ("{pa\ufeffge{slug}}", VALIDATION),
    "a space that is none": ("{page\u00a0{slug}}", PARSE),
    "signs from right to left": ("{\u202epage{slug}}", PARSE),
    "nothing": (" ,\n", PARSE),
    "a schema": ("type A { a: " + "[" * 40 + "Int" + "]" * 40 + " }", VALIDATION),
    "a schema of many types": (many("type A{n} {{a: Int}}", 400), COMPLEX),
}  # fmt: skip

MERGED = page(many("...F{n}", 60)) + many(" fragment F{n} on Page{{slots{{blocks{{key tags type}}}}}}", 60)


@pytest.fixture(scope="module")
def space() -> SpaceSchema:
    return build_schema(TYPES)


@pytest.fixture(scope="module")
def settled() -> Iterator[None]:
    """What stands is not walked by the garbage collector again, as in a gateway that serves."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


async def quickest(refuse: Callable[[], Awaitable[Any]], times: int = 5) -> float:
    """Seconds of CPU, of all threads; the machine may be busy, and the collector come by."""
    found = []
    for _ in range(times):
        started = time.process_time()
        await refuse()
        found.append(time.process_time() - started)
        if found[-1] < QUICK:
            break
    return min(found)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("name", BOMBS)
async def test_a_query_bomb_is_refused_quickly(space: SpaceSchema, name: str) -> None:
    text, code = BOMBS[name]
    prepared = await space.operations.prepare(text, None)
    errors = [answered(error) for error in prepared.errors]
    assert errors[:1] == [code]
    assert await quickest(lambda: space.operations.prepare(text, None)) < QUICK


@pytest.mark.usefixtures("settled")
async def test_a_query_bomb_that_only_its_tree_betrays_takes_no_longer_than_parsing_it(
    space: SpaceSchema,
) -> None:
    async def parsed() -> None:
        parse(MERGED)

    prepared = await space.operations.prepare(MERGED, None)
    assert [answered(error) for error in prepared.errors] == [COMPLEX]
    assert await quickest(lambda: space.operations.prepare(MERGED, None)) < QUICK + 2 * await quickest(parsed)


def answered(error: GraphQLError) -> str:
    """The code of an error as clients see it."""
    code: str = worded(error)["extensions"]["code"]
    return code


# --- variables, and bodies ---

PAGE = (
    'query($v: ID, $c: ContextInput, $f: BlockFilter) { page(slug: "home", visitor: $v, context: $c) { slug }'
    " recommendations(where: $f) { edges { cursor } } }"
)
TRACK = "mutation($events: [EventInput!]!) { track(events: $events) { accepted } }"
EVENT = {"type": "view", "visitor": "v"}
VARIABLES: dict[str, tuple[str, Any, str]] = {
    "unknown fields by the thousand": (PAGE, {"c": {f"k{n}": n for n in range(25_000)}}, VALIDATION),
    "a few unknown fields": (PAGE, {"c": {"nope": 1, "locales": 2}}, VALIDATION),
    "unknown fields in a list": (TRACK, {"events": [{**EVENT, f"k{n}": n} for n in range(1_500)]}, VALIDATION),
    "texts that are numbers": (PAGE, {"f": {"tags": list(range(7_000))}}, VALIDATION),
    "more texts than may be": (PAGE, {"f": {"tags": ["x"] * 50_000}}, LARGE),
    "no events": (TRACK, {"events": [None] * 7_000}, VALIDATION),
    "events of nothing": (TRACK, {"events": [{}] * 4_000}, VALIDATION),
    "more events than may be": (TRACK, {"events": [EVENT] * 12_000}, LARGE),
    "a huge id": (PAGE, {"v": {"a": "x" * 900_000}}, VALIDATION),
    "a huge time": (PAGE, {"c": {"time": "9" * 900_000}}, VALIDATION),
    "a huge number": (PAGE, {"c": {"geo": {"lat": "1" * 900_000}}}, VALIDATION),
    "a number of 64 bits": (PAGE, {"c": {"device": {"width": 2**63}}}, VALIDATION),
    "a list that is deep": (PAGE, {"f": json.loads("[" * 200 + "]" * 200)}, VALIDATION),
}  # fmt: skip
BODIES = {
    "texts by the thousand": '{"query": "{page}", "variables": {"a": [' + '"",' * 300_000 + '""]}}',
    "lists by the thousand": '{"query": "{page}", "variables": {"a": [' + "[]," * 300_000 + "[]]}}",
    "objects by the thousand": '{"query": "{page}", "variables": {"a": [' + "{}," * 300_000 + "{}]}}",
    "names by the thousand": '{"query": "{page}", "variables": {'
    + ",".join(f'"{n:x}":0' for n in range(100_000))
    + "}}",
}

# The client is a process of its own: what it does must not count as the server's.
SEND = """
import http.client, json, sys
host, token, file = sys.argv[1:]
requests = json.load(open(file))
sys.stdin.readline()
connection = http.client.HTTPConnection(host)
headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
codes = {}
for name, body in requests.items():
    connection.request("POST", "/graphql", body.encode(), headers)
    answer = json.loads(connection.getresponse().read())
    codes[name] = (answer.get("errors") or [{"extensions": {"code": None}}])[0]["extensions"]["code"]
json.dump(codes, sys.stdout)
"""


@asynccontextmanager
async def heartbeat() -> AsyncIterator[list[float]]:
    """Seconds that the loop was held up, each time. Where the machine was busy with others, only our CPU counts."""
    lags: list[float] = []

    async def beat() -> None:
        while True:
            wall, cpu = time.perf_counter(), time.process_time()
            await asyncio.sleep(0.001)
            lags.append(min(time.perf_counter() - wall - 0.001, time.process_time() - cpu))

    beating = asyncio.create_task(beat())
    yield lags
    beating.cancel()


@asynccontextmanager
async def client(*arguments: str) -> AsyncIterator[Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SEND, *arguments, stdin=pipe, stdout=pipe
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.usefixtures("settled")
async def test_bombs_hold_up_nobody_else(engine_url: str, prefix: str, tmp_path: Path) -> None:
    requests = {name: {"query": text} for name, (text, _) in BOMBS.items()} | {
        name: {"query": query, "variables": found} for name, (query, found, _) in VARIABLES.items()
    }
    file = tmp_path / "requests.json"
    file.write_text(json.dumps({name: json.dumps(body) for name, body in requests.items()} | BODIES))
    bundle = {"blockTypes": [{"name": name, "schema": schema} for name, schema in TYPES.items()]}
    async with live(engine_url, prefix, alone=True) as found:
        await found.load(bundle)
        token, _ = await found.gateway.tokens.create("main", tuple(Scope), "test")
        await found.bearing(token).post("{__typename}")
        address = found.address.removeprefix("http://")
        for _ in range(ROUNDS):
            async with client(address, token, str(file)) as sending, heartbeat() as lags:
                said, _ = await sending.communicate(b"go\n")
            if max(lags) < LAG:
                break
    assert json.loads(said) == {
        **{name: code for name, (_, code) in BOMBS.items()},
        **{name: code for name, (_, _, code) in VARIABLES.items()},
        **dict.fromkeys(BODIES, LARGE),
    }
    assert max(lags) < LAG
