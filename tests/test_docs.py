import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import typer
from graphql import parse, validate
from strawberry.utils.str_converters import to_camel_case

from gateway import errors
from gateway.api.fields import Root
from gateway.api.mutations import mutations
from gateway.api.queries import queries
from gateway.api.schema import Schemas
from gateway.api.subscriptions import subscriptions
from gateway.app import build_app
from gateway.cli import app as commands
from gateway.core.bundles import read_bundle
from gateway.services.gateway import Gateway
from gateway.services.running import running
from gateway.settings import Settings
from schemas.vocabulary import Scope
from tests.documents import ROOT, code_of, curl

SHOP = ROOT / "gateway" / "demo" / "shop.yaml"
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
API = ROOT / "docs" / "graphql.md"


@pytest.fixture
async def gateway(engine_url: str, prefix: str) -> AsyncIterator[Gateway]:
    """As the demo has it: the shop in the space `shop`, and visitors who count as having agreed."""
    settings = Settings(mongodb_url=engine_url, database=prefix, consent="opt-out")
    async with running(settings) as gateway:
        shop = await gateway.create_space("shop")
        await shop.authoring.load(read_bundle(SHOP.read_bytes(), SHOP.name)[0], "test")
        yield gateway


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(gateway, open_access=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


# --- the README is true ---


async def test_the_readmes_commands_are_answered_as_it_says(
    client: httpx.AsyncClient, gateway: Gateway
) -> None:
    token, _ = await gateway.tokens.create("main", {Scope.ADMIN}, "first administrator")
    compared, last = 0, None
    for code in code_of(ROOT / "README.md"):
        if code.language == "yaml":
            bundle, problems = read_bundle(code.text.encode(), "own.yaml")
            assert problems == []
            await (await gateway.space("main")).authoring.load(bundle, "test")
        elif code.text.startswith("curl"):
            last = await curl(client, code.text, {"TOKEN": token})
            assert "errors" not in last, last
        elif code.language == "json":
            assert last == orjson.loads(code.text)
            compared += 1
    assert compared == 3


async def test_what_the_readme_says_of_other_answers_holds(client: httpx.AsyncClient) -> None:
    first, track, again, *_ = [
        code.text for code in code_of(ROOT / "README.md") if code.text.startswith("curl")
    ]
    german = first.replace('geo: {country: "GB"}', 'geo: {country: "DE"}, locale: "de-DE"')
    hero = (await curl(client, german, {}))["data"]["page"]["slot"]["blocks"][0]
    assert hero["content"]["headline"] == "Irgendwo da draußen steht dein Name"

    await curl(client, track, {})
    hero = (await curl(client, again, {}))["data"]["page"]["slot"]["blocks"][0]
    assert hero["variant"] == "climbers-indoors"
    candidates = hero["reason"]["candidates"]
    assert [c["variant"] for c in candidates if c["chosen"]] == ["climbers-indoors"]
    assert next(c for c in candidates if c["variant"] == "riders")["failed"]["path"] == "segments"


def test_the_makefile_has_the_targets_that_are_told_of() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {name for path in DOCUMENTS for name in re.findall(r"`?\bmake (\w+)\b`", path.read_text())}
    assert told | {"demo", "test"} <= targets


def test_every_command_that_is_told_of_exists_and_is_told_of() -> None:
    known = set(typer.main.get_group(commands).commands)
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    told = set(re.findall(r"(?:^|`)blockloom ([a-z]+)", text, re.MULTILINE))
    assert told - {"demo"} == known - {"demo"}


# --- every example of the API runs ---


def examples() -> list[tuple[str, dict[str, Any]]]:
    """Each operation, with the variables that stand after it."""
    found: list[tuple[str, dict[str, Any]]] = []
    for code in [code for code in code_of(API) if code.language in {"graphql", "json"}]:
        if code.language == "graphql":
            found.append((code.text, {}))
        else:
            found[-1] = found[-1][0], orjson.loads(code.text)
    return found


async def test_every_example_of_the_api_runs(client: httpx.AsyncClient, gateway: Gateway) -> None:
    schema = Schemas().of((await gateway.space("shop")).shelf.edition.catalogue).schema._schema
    answers: list[dict[str, Any]] = []
    for query, variables in examples():
        assert validate(schema, parse(query)) == []
        if query.startswith("subscription"):
            continue  # those need another protocol than this client's
        if variables.get("decision") == "$decision":
            variables["decision"] = answers[-1]["page"]["slot"]["blocks"][0]["decision"]
        answer = await client.post(
            "/graphql", json={"query": query, "variables": variables}, headers={"blockloom-space": "shop"}
        )
        assert "errors" not in answer.json(), (query, answer.json())
        answers.append(answer.json()["data"])
    by_name = {name: answer[name] for answer in answers for name in answer}
    assert by_name["track"]["accepted"] == 3
    assert by_name["decision"]["same"] is True
    assert by_name["saveBlock"]["item"] == {"state": "draft", "version": 1}
    assert by_name["publish"]["published"] == 1
    assert by_name["tryCondition"]["matches"] is False


# --- tables are complete ---


def rows(path: Path, pattern: str) -> list[tuple[str, ...]]:
    return re.findall(rf"^\| {pattern} \|$", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("root", [queries, mutations, subscriptions], ids=lambda root: root.name)
def test_every_root_field_is_listed_with_its_scope(root: Root) -> None:
    listed = rows(API, rf"`{root.name}\.(\w+)` \| `(\w+)` \| (.*)")
    assert listed == [(to_camel_case(f.name), str(f.scope), f.description) for f in root.fields]


def every_error(kind: type[errors.BlockloomError]) -> set[str]:
    return {kind.code}.union(*(every_error(below) for below in kind.__subclasses__()))


def test_every_error_code_is_listed() -> None:
    listed = {code for code, _ in rows(API, r"`([A-Z_]+)` \| (.*)")}
    refusals = re.compile(r"Refusal\(\s*\"([A-Z_]+)\"")
    sources = [path.read_text() for path in ROOT.glob("gateway/**/*.py")]
    of_events = {code for text in sources for code in refusals.findall(text)}
    of_graphql = {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "INTROSPECTION_DISABLED"}
    of_limits = {"TOO_COMPLEX", "TOO_DEEP"}
    assert listed == every_error(errors.BlockloomError) | of_events | of_graphql | of_limits


# --- nothing leads nowhere ---


def links(path: Path) -> list[Path]:
    prose = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose)
    return [path.parent / target for target in targets if "://" not in target]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    assert [str(target) for target in links(path) if not target.exists()] == []


def test_every_document_and_decision_is_in_the_index() -> None:
    index = {target.resolve() for target in links(ROOT / "docs" / "README.md")}
    assert {path for path in DOCUMENTS if path.parent != ROOT} - index == {ROOT / "docs" / "README.md"}


def test_decisions_are_numbered_without_gaps_and_titled_by_their_number() -> None:
    found = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in found]
    assert numbers == list(range(1, len(found) + 1))
    assert all(
        path.read_text().startswith(f"# {number}. ") for number, path in zip(numbers, found, strict=True)
    )
