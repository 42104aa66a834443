"""The documentation of conditions is complete, and its examples run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from content_blocks.conditions import FACTS, check_condition
from content_blocks.conditions.parsing import JOINTS, PHRASES

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "conditions.md").read_text(encoding="utf-8")
EXAMPLES = [TEXT, (DOCS / "behaviour.md").read_text(encoding="utf-8")]


@pytest.mark.parametrize("example", re.findall(r"```json\n(.*?)```", "\n".join(EXAMPLES), re.DOTALL))
def test_every_example_is_a_sound_condition(example: str) -> None:
    condition: dict[str, Any] = json.loads(example)
    assert check_condition(condition) == []


def test_every_fact_is_documented_with_its_meaning() -> None:
    rows = [f"| `{fact.path}` | {fact.kind} | {fact.description} |" for fact in FACTS.values()]
    assert [row for row in rows if row not in TEXT] == []


def test_every_operator_is_documented() -> None:
    assert [name for name in {*PHRASES, *JOINTS} if name not in re.findall(r"\$\w+", TEXT)] == []
