import re
from pathlib import Path

from recommenders.scorers import DEFAULT_WEIGHTS

PAGE = (Path(__file__).parents[2] / "docs" / "recommending.md").read_text(encoding="utf-8")


def test_the_examples_of_the_page_run():
    examples = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(examples) == 5
    exec("\n".join(examples), {})  # noqa: S102


def test_the_page_lists_the_default_weights():
    listed = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)
    assert {name: float(weight) for name, weight in listed} == DEFAULT_WEIGHTS
