"""What the client says of itself outright (GraphQL's `ContextInput`): checked, and above everything else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, NamedTuple

from gateway.core.context.attributes import check_attributes
from gateway.core.context.countries import known_country
from gateway.core.context.findings import NOTHING, SAID, Finding
from gateway.core.context.languages import normal_language
from gateway.core.context.pages import LONGEST_URL, read_url
from gateway.core.context.times import known_zone

DEVICE_TYPES = ("mobile", "tablet", "desktop", "tv", "bot", "unknown")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


class ContextProblem(NamedTuple):
    path: str  # JSON Pointer into the context
    message: str  # what to send instead


class InvalidContext(ValueError):
    """The `context` argument has mistakes; `problems` lists all of them."""

    def __init__(self, problems: Sequence[ContextProblem]) -> None:
        told = "; ".join(f"{path} {message}" for path, message in problems)
        super().__init__(f"The context cannot be used: {told}")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Given:
    device: Finding = NOTHING
    geo: Finding = NOTHING
    time: float | None = None  # epoch seconds
    timezone: str | None = None
    locale: str | None = None
    url: str | None = None
    referrer: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


SILENT = Given()
_LASTING = ("device", "geo", "timezone", "locale")


def parted(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a client says again with each request, and what is of this one alone."""
    about = {name: given[name] for name in _LASTING if name in given}
    return about, {name: value for name, value in given.items() if name not in _LASTING}


def check_given(given: Mapping[str, Any]) -> Given:
    """The checked and normalised input; InvalidContext with every mistake in it. None means not said."""
    problems: list[ContextProblem] = []
    values = _check_object(given, _FIELDS, "", problems)
    geo = values.get("geo", {})
    if ("lat" in geo) != ("lon" in geo) and not problems:
        problems.append(ContextProblem("/geo", "lat and lon belong together: send both or neither"))
    if problems:
        raise InvalidContext(problems)
    for part in ("device", "geo"):
        if part in values:
            values[part] = Finding.of(values[part], SAID)
    return Given(**values)


Check = Callable[[Any], Any]  # the normalised value; ValueError says what to send instead


def _text(longest: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
            raise ValueError(f"must be a text of 1 to {longest} printable characters")
        return value

    return check


def _degrees(limit: int) -> Check:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
            raise ValueError(f"must be a number of degrees from -{limit} to {limit}")
        return float(value)

    return check


def _device_type(value: Any) -> str:
    if value not in DEVICE_TYPES:
        raise ValueError(f"must be one of {', '.join(DEVICE_TYPES)}")
    return str(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _country(value: Any) -> str:
    country = known_country(value) if isinstance(value, str) else None
    if country is None:
        hint = ": the United Kingdom is GB" if value in ("UK", "uk") else ""
        raise ValueError(f"must be the two letters of ISO 3166-1 for a country, such as DE{hint}")
    return country


def _time(value: Any) -> float:
    moment = value if isinstance(value, datetime) else _instant(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("must lie in the years 1990 to 2099")
    return moment.timestamp()


def _instant(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("must be a time in RFC 3339, such as 2026-12-01T18:30:00+01:00") from None


def _zone(value: Any) -> str:
    zone = known_zone(value) if isinstance(value, str) else None
    if zone is None:
        raise ValueError("must be a time zone of the IANA database, such as Europe/London")
    return zone


def _locale(value: Any) -> str:
    locale = normal_language(value) if isinstance(value, str) and len(value) <= 35 else None
    if locale is None:
        raise ValueError("must be a language tag (BCP 47), such as en-GB")
    return locale


def _url(value: Any) -> str:
    url: str = _text(LONGEST_URL)(value)
    try:
        read_url(url)
    except ValueError as error:
        raise ValueError(f"must be the page's address, such as https://example.com/shoes ({error})") from None
    return url


_FIELDS: Mapping[str, Any] = {
    "device": {
        "type": _device_type,
        "os": _text(100),
        "osVersion": _text(100),
        "browser": _text(100),
        "browserVersion": _text(100),
        "model": _text(100),
        "bot": _boolean,
    },
    "geo": {
        "country": _country,
        "region": _text(100),
        "city": _text(100),
        "lat": _degrees(90),
        "lon": _degrees(180),
    },
    "time": _time,
    "timezone": _zone,
    "locale": _locale,
    "url": _url,
    "referrer": _text(LONGEST_URL),
    "attributes": check_attributes,
}


def _check_object(
    given: Any, fields: Mapping[str, Any], path: str, problems: list[ContextProblem]
) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        problems.append(ContextProblem(path, f"must be an object with some of {', '.join(fields)}"))
        return {}
    values: dict[str, Any] = {}
    for name, value in given.items():
        here = f"{path}/{name}"
        try:
            if value is not None:
                values[name] = _checked(name, value, fields, here, problems)
        except ValueError as error:
            problems.append(ContextProblem(here, str(error)))
    return values


def _checked(
    name: Any, value: Any, fields: Mapping[str, Any], here: str, problems: list[ContextProblem]
) -> Any:
    check = fields.get(name)
    if check is None:
        raise ValueError(_unknown(str(name), fields))
    return _check_object(value, check, here, problems) if isinstance(check, Mapping) else check(value)


def _unknown(name: str, fields: Mapping[str, Any]) -> str:
    near = get_close_matches(name[:50], fields, 1)
    return (
        f"is not known; did you mean {near[0]}?" if near else f"is not known; known are {', '.join(fields)}"
    )
