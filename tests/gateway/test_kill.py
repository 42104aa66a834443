"""The proof that nothing acknowledged is lost or counted twice, however the processes end."""

import random
from pathlib import Path

import pytest

from benchmarks.crashes import Outcome, run
from tests.engine import OTHER_SERVER


@pytest.mark.skipif(bool(OTHER_SERVER), reason="kills the embedded engine; another server is named")
async def test_five_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """Of the gateway, of the engine, and of both, under load from eight clients."""
    outcome = await run(5, tmp_path, random.Random(7))
    assert outcome.acknowledged > 150
    assert outcome == Outcome(5, outcome.acknowledged, lost=0, doubled=0, missed=0, bent=0)
