"""Who can be played in the demo: six people in a shop, and three visitors of a web site of 1998."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from gateway.console.stages import Persona, Stage
from gateway.demo import msweb

AT_THE_DESK: Mapping[str, Any] = {
    "device": {"type": "desktop"},
    "geo": {"country": "US"},
    "timezone": "America/New_York",
    "locale": "en-US",
}
# By their numbers in the data set; all among the first, so that a short replay has them too.
SAMPLES: Mapping[int, tuple[str, str]] = {
    10010: ("The developer", "Opened Visual Basic, its support, and how to develop for Office and Outlook."),
    10073: ("The office", "Looked at Office, its free stuff, the products and the registration wizard."),
    10037: ("The family", "Went for the free downloads, kids' stuff, sports and games."),
}


def stages() -> tuple[Stage, ...]:
    return (_shop(), _msweb())


def _shop() -> Stage:
    found = json.loads(resources.files("gateway.demo").joinpath("personas.json").read_bytes())
    return Stage("shop", "Fernweh & Field", tuple(Persona(**persona) for persona in found))


def _msweb() -> Stage:
    people = [_sample(number, *about) for number, about in SAMPLES.items()]
    stranger = Persona("newcomer", "A newcomer", "Has not opened anything yet.", AT_THE_DESK)
    return Stage("msweb", "A web site of 1998", (stranger, *people))


def _sample(number: int, name: str, story: str) -> Persona:
    """What they opened comes with the replay; it stands here so that their story can begin again."""
    events = [{"type": "view", "block": block} for block in msweb.opened(number)]
    return Persona(f"msweb-{number}", name, story, AT_THE_DESK, events)
