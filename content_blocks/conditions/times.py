"""Times of day, weekdays and dates: by the visitor's clock, or by the clock of a named zone."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from content_blocks.conditions.operands import Operator
from content_blocks.conditions.problems import suggestion
from content_blocks.conditions.values import Test, is_number, value_at

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _opened(operand: Any, key: str) -> tuple[Any, str | None]:
    """The choice and its zone: {"between": [...], "zone": ...}, or the choice alone."""
    if isinstance(operand, Mapping):
        return operand.get(key), operand.get("zone")
    return operand, None


def _complaint(key: str, about: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    def complaint(operand: Any) -> str | None:
        if isinstance(operand, Mapping) and not {key} <= set(operand) <= {key, "zone"}:
            return f'needs an object with "{key}" and "zone"'
        choice, zone = _opened(operand, key)
        if isinstance(operand, Mapping) and "zone" in operand and not is_zone(zone):
            return f'{zone!r} is not a time zone; name one as in "Europe/London"'
        return about(choice)

    return complaint


def is_zone(name: Any) -> bool:
    try:
        return isinstance(name, str) and bool(ZoneInfo(name))
    except (ValueError, OSError, KeyError):
        return False


def _about_clock(window: Any) -> str | None:
    if not (isinstance(window, list | tuple) and len(window) == 2 and all(map(_is_clock, window))):
        return 'needs two times of day, as in ["22:00", "06:00"]'
    return "starts when it ends; leave it out for the whole day" if window[0] == window[1] else None


def _is_clock(text: Any) -> bool:
    return isinstance(text, str) and (text == "24:00" or _CLOCK.fullmatch(text) is not None)


def _about_weekdays(days: Any) -> str | None:
    if not isinstance(days, list | tuple) or not days:
        return 'needs a list of days, as in ["sat", "sun"]'
    wrong = next((day for day in days if day not in WEEKDAYS), None)
    if wrong is None:
        return None
    return f"{wrong!r} is not one of {', '.join(WEEKDAYS)}{suggestion(str(wrong)[:3].lower(), WEEKDAYS)}"


def _about_dates(span: Any) -> str | None:
    if not (isinstance(span, list | tuple) and len(span) == 2 and all(map(_is_date, span))):
        return 'needs the first and the last day, as in ["2026-12-01", "2026-12-24"]; one may be null'
    first, last = span
    if first is None and last is None:
        return "needs a first or a last day"
    return "ends before it starts" if first is not None and last is not None and last < first else None


def _is_date(text: Any) -> bool:
    if text is None:
        return True
    try:
        return isinstance(text, str) and bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _local(name: str, of: Callable[[datetime], str], zone: str | None) -> Callable[[Any], Any]:
    """Read `time.<name>`; or, in a named zone, work it out from `time.epoch`."""
    if zone is None:
        return lambda time: value_at(time, (name,))
    there = ZoneInfo(zone)

    def read(time: Any) -> str | None:
        epoch = value_at(time, ("epoch",))
        try:
            return of(datetime.fromtimestamp(epoch, there)) if is_number(epoch) else None
        except (ValueError, OverflowError, OSError):
            return None

    return read


def clock_window(operand: Any) -> Test:
    """The end is outside; a window that ends before it starts goes over midnight."""
    (start, end), zone = _opened(operand, "between")
    read = _local("clock", lambda moment: moment.strftime("%H:%M"), zone)

    def test(time: Any) -> bool:
        clock = read(time)
        if not isinstance(clock, str):
            return False
        return bool(start <= clock < end if start < end else clock >= start or clock < end)

    return test


def weekdays(operand: Any) -> Test:
    days, zone = _opened(operand, "in")
    read = _local("weekday", lambda moment: WEEKDAYS[moment.weekday()], zone)
    chosen = frozenset(days)
    return lambda time: member in chosen if isinstance(member := read(time), str) else False


def date_span(operand: Any) -> Test:
    """Both days are inside."""
    (first, last), zone = _opened(operand, "between")
    read = _local("date", lambda moment: moment.date().isoformat(), zone)

    def test(time: Any) -> bool:
        day = read(time)
        return isinstance(day, str) and (first is None or first <= day) and (last is None or day <= last)

    return test


def _reads(name: str) -> Callable[[Any], tuple[str, ...]]:
    return lambda operand: ("epoch" if isinstance(operand, Mapping) and operand.get("zone") else name,)


TIME_OPERATORS = {
    "$clock": Operator(
        "own", "is between {}", _complaint("between", _about_clock), clock_window, _reads("clock")
    ),
    "$weekday": Operator("own", "is on {}", _complaint("in", _about_weekdays), weekdays, _reads("weekday")),
    "$dates": Operator("own", "is from {}", _complaint("between", _about_dates), date_span, _reads("date")),
}
