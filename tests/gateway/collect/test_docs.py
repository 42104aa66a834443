"""docs/collecting.md is true."""

import re
from datetime import UTC, datetime

import orjson
import pytest

from gateway.collect.names import NAMES
from gateway.collect.routes import ADDRESSES
from tests.documents import ROOT, code_of, curl
from tests.gateway.collect.made import Collecting

PAGE = ROOT / "docs" / "collecting.md"


@pytest.mark.asyncio(loop_scope="package")
async def test_every_command_is_answered_as_it_says(found: Collecting) -> None:
    variables = {"TOKEN": await found.token(), "NOW": datetime.now(UTC).isoformat()}
    blocks = [code for code in code_of(PAGE) if code.language in {"bash", "json"}]
    answers = [await curl(found.http, code.text, variables) for code in blocks[::2]]
    assert [code.language for code in blocks] == ["bash", "json"] * len(answers)
    assert answers == [orjson.loads(code.text) for code in blocks[1::2]]


def test_every_name_is_listed_with_its_type() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| `([a-z_]+)` \|$", PAGE.read_text(), re.MULTILINE)
    listed = {name: kind for names, kind in rows for name in re.findall(r"`([a-z_]+)`", names)}
    assert listed == {name: meaning.type for name, meaning in NAMES.items()}


def test_every_address_is_told_of() -> None:
    text = PAGE.read_text()
    named = {address.replace("{key}", "TOKEN").replace("{kind}", "{type}") for address in ADDRESSES}
    inner = {
        "/v1/{type}",
        "/api/s/s2s/{type}",
        "/v1/collect",
    }  # by their kinds; for servers; the script's own
    assert {address for address in named - inner if address not in text} == set()
