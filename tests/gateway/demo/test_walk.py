import io
import re
import subprocess
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from gateway.app import build_app
from gateway.commands.demo import run_demo
from gateway.demo.asking import Frontend
from gateway.demo.contents import open_space, tell_stories
from gateway.demo.stages import stages
from gateway.demo.visits import replay
from gateway.demo.walk import Walk
from gateway.errors import BadInput
from gateway.services.running import running
from gateway.settings import Settings
from tests.gateway.commandline import COMMAND


def demo(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [str(COMMAND), "demo", "--once", "--port", "0", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_the_demo_walks_from_an_empty_folder_and_again_over_its_own_data(tmp_path: Path) -> None:
    first = demo("--data", tmp_path, "--visitors", 300)

    assert (first.returncode, "Traceback" in first.stderr) == (0, False), first.stderr
    assert re.search(r"968 events of real visits in \d", first.stdout)
    assert re.search(r"The very next page: [5-8] of 8 slots changed", first.stdout)
    assert "the page is the first one again" in first.stdout

    again = demo("--data", tmp_path, "--visitors", 300)

    assert (again.returncode, "events of real visits" in again.stdout) == (0, False), again.stderr
    assert _told(again.stdout) == _told(first.stdout)


def _told(output: str) -> list[str]:
    """Who sees what; not how long it took, nor what was loaded first."""
    tables = output[output.index("One query, two people") :]
    return [line.rstrip() for line in tables.splitlines() if not re.search(r"\d ms", line)]


async def test_the_walk_shows_who_sees_what_and_what_one_mutation_changes(
    engine_url: str, prefix: str
) -> None:
    settings = Settings(mongodb_url=engine_url, database=prefix, consent="opt-out")
    printed = io.StringIO()
    async with running(settings) as gateway:
        for stage in stages():
            await tell_stories(await open_space(gateway, stage.space), stage)
        transport = httpx.ASGITransport(build_app(gateway, open_access=True))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            await Walk(Frontend(http), Console(file=printed, width=200), stages()).run()

    rows = [re.split(r"\s{2,}", line.strip()) for line in printed.getvalue().splitlines()]
    assert ["hero", "hero / climbers-indoors"] in [row[:2] for row in rows]
    assert ["●", "hero", "hero / newcomers", "hero / paddlers"] in rows
    assert ["2 events and 1 profile erased; the page is the first one again."] in rows


async def test_a_replay_goes_on_where_the_last_one_ended(engine_url: str, prefix: str) -> None:
    settings = Settings(mongodb_url=engine_url, database=prefix, consent="opt-out")
    seen: list[tuple[int, int]] = []
    async with running(settings) as gateway:
        space = await open_space(gateway, "msweb")
        new = [
            await replay(space, visitors, lambda done, total: seen.append((done, total)))
            for visitors in (0, 100, 100, 300, 200)
        ]
        popular = space.shelf.edition.signals.won

    assert new == [0, 318, 0, 650, 0]
    assert seen[0] == (318, 318)
    assert seen[-1][0] == seen[-1][1] < 700  # the last visitor is sent again, in case the visit was cut short
    assert max(popular, key=lambda key: popular[key]) == "area-1008"  # Free Downloads


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])  # noqa: S104
async def test_the_demo_listens_on_loopback_alone(host: str) -> None:
    with pytest.raises(BadInput, match=r"listens on loopback only.*leave --host out"):
        await run_demo(Settings(host=host), once=True, visitors=0)
