import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.core.engagement import Scale
from gateway.core.events import WEIGHTS
from gateway.settings import Settings

TABLE = Path(__file__).parents[2] / "docs" / "settings.md"
ROW = re.compile(r"^\| `(BLOCKLOOM_\w+)` \| (.*?) \| (.*) \|$", re.MULTILINE)


def shown(default: object) -> str:
    if default in (None, []):
        return "none"
    if isinstance(default, list):
        return f"`{json.dumps(default)}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, int | float):
        return f"`{default:.15g}`"
    return f"`{default}`"


def test_the_table_of_settings_is_complete_and_right() -> None:
    documented = [found.groups() for found in ROW.finditer(TABLE.read_text())]
    declared = [
        (f"BLOCKLOOM_{name.upper()}", shown(field.default), field.description)
        for name, field in Settings.model_fields.items()
    ]
    assert documented == declared


def test_what_engagement_is_made_of_can_be_set() -> None:
    settings = Settings(
        event_weights={"click": 0.4},
        engagement_weights={"login": 2.0},
        engagement_half=5,
        engagement_levels=[10, 30],
        attribution_days=7,
    )
    learning = settings.learning
    assert learning.engagement == Scale({**WEIGHTS, "click": 0.4, "login": 2.0}, 5.0, 10.0, 30.0)
    assert learning.attribution == 7 * 86400.0


def test_secrets_are_never_shown() -> None:
    settings = Settings(
        mongodb_url="mongodb://ann:hunter2@db", admin_token="x" * 30 + "hunter2", keys=["hunter2" * 5]
    )
    assert "hunter2" not in repr(settings)


def test_weights_of_events_stand_over_the_built_in_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKLOOM_EVENT_WEIGHTS", '{"click": 0.4, "test_ride": 0.9}')
    assert Settings().learning.weights == {**WEIGHTS, "click": 0.4, "test_ride": 0.9}


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 70_000},
        {"admin_token": "short"},
        {"consent": "perhaps"},
        {"half_life_now": 0},
        {"engagement_levels": [50, 20]},
        {"engagement_levels": [20]},
        {"engagement_half": 0},
        {"now_share": 1.5},
        {"database": "no.dots"},
        {"trusted_proxies": -1},
        {"keys": ["short"]},
        {"keys": ["k" * 32, "k" * 32]},
        {"colour": "blue"},
    ],
)
def test_a_setting_that_cannot_be_right_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)
