"""The circumstances of a preview: the persona's own, with what the form sets in their place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from gateway.core.context import Context
from gateway.errors import BadInput

Read = Callable[[Mapping[str, Any]], Context]  # explicit circumstances -> the request's context with them


@dataclass(frozen=True, slots=True)
class Controls:
    """What the form says. Empty where it says nothing."""

    device: str = ""
    country: str = ""
    date: str = ""  # 2026-11-27, where the visitor is
    hour: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Controls":
        return cls(*(query.get(name, "").strip() for name in ("device", "country", "date", "hour")))


def circumstances(read: Read, own: Mapping[str, Any], controls: Controls) -> Context:
    """Whatever agrees with the persona stays theirs: Maya's London is more than GB, her 18:40 more than 18."""
    given = dict(own)
    if controls.device and controls.device != own.get("device", {}).get("type"):
        given["device"] = {"type": controls.device}
    if controls.country and controls.country != own.get("geo", {}).get("country"):
        given["geo"] = {"country": controls.country}
        given.pop("timezone", None)
    context = read(given)
    moment = _moment(context, controls)
    return read({**given, "time": moment}) if moment else context


def _moment(context: Context, controls: Controls) -> datetime | None:
    """What the clock is set to, unless it shows that already."""
    here = context.facts["time"]
    try:
        day = date.fromisoformat(controls.date or here["date"])
        hour = int(controls.hour or here["hour"])
        moment = datetime.combine(day, time(hour), ZoneInfo(here["zone"]))
    except ValueError as error:
        raise BadInput("set a date like 2026-11-27 and an hour from 0 to 23, or leave them out") from error
    same = (here["date"], here["hour"]) == (day.isoformat(), hour)
    return None if same else moment
