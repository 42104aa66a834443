import re
from pathlib import Path

from gateway.api.schema import build_schema

PAGE = (Path(__file__).parents[3] / "docs" / "compiled.md").read_text()
HERO = {"Hero": {"type": "object", "properties": {"headline": {"type": "string"}}}}


async def test_the_page_shows_what_is_generated() -> None:
    (query,) = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)
    (shown,) = re.findall(r"```python\n(.*?)\n```", PAGE, re.DOTALL)
    prepared = await build_schema(HERO).operations.prepare(query, None)
    assert prepared.compiled is not None
    assert prepared.compiled.plan(()).text == shown
