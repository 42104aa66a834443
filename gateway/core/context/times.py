"""The time where the visitor is."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def known_zone(name: str) -> str | None:
    """The IANA name as it is written, whatever the case it was sent in; None when there is no such zone."""
    return _zone_names().get(name.strip().lower()) if len(name) <= 64 else None


@cache
def _zone_names() -> Mapping[str, str]:
    return {name.lower(): name for name in (files("tzdata") / "zones").read_text("utf-8").split()}


@lru_cache(1024)
def zone_info(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def time_facts(epoch: float, zone: str) -> dict[str, Any]:
    """`epoch`, and the wall clock in `zone` (one that `known_zone` gave)."""
    return {**_wall_clock(int(epoch), zone), "epoch": epoch}


@lru_cache(1024)
def _wall_clock(second: int, zone: str) -> Mapping[str, Any]:
    local = datetime.fromtimestamp(second, zone_info(zone))
    iso = local.isoformat(timespec="seconds")
    return {
        "zone": zone,
        "iso": iso,
        "date": iso[:10],
        "clock": iso[11:16],
        "hour": local.hour,
        "minute": local.minute,
        "day": local.day,
        "month": local.month,
        "year": local.year,
        "weekday": _WEEKDAYS[local.weekday()],
    }
