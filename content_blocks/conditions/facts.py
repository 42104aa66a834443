"""The facts that conditions may ask about, as a table: what the gateway knows of a visitor, here and now."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from content_blocks.conditions.times import WEEKDAYS

Kind = Literal["string", "number", "boolean", "array", "object", "any"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A `*` in a path stands for one step or more: any that the visitor's own data bring along."""

    path: str
    kind: Kind
    description: str
    values: tuple[str, ...] = ()  # the only ones there are
    low: float | None = None
    high: float | None = None
    form: str = ""  # how a text is written: a key of FORMS


FORMS = {  # name: regular expression, example
    "date": (r"\d{4}-\d\d-\d\d", "2026-12-24"),
    "clock": (r"([01]\d|2[0-3]):[0-5]\d", "18:30"),
    "country": (r"[A-Z]{2}", "GB"),
}

FACTS: dict[str, Fact] = {
    fact.path: fact
    for fact in (
        Fact(
            "device.type",
            "string",
            "Kind of device",
            values=("mobile", "tablet", "desktop", "tv", "bot", "unknown"),
        ),
        Fact("device.os", "string", "Operating system, as in iOS, Android, Windows"),
        Fact("device.osVersion", "string", "Version of the operating system; compare it with $vgte and $vlt"),
        Fact("device.browser", "string", "Browser, as in Chrome, Safari, Firefox"),
        Fact("device.browserVersion", "string", "Version of the browser; compare it with $vgte and $vlt"),
        Fact("device.model", "string", "Model of the device, where it says so"),
        Fact("device.bot", "boolean", "A crawler or another program"),
        Fact("device.touch", "boolean", "Has a touch screen, as far as can be told"),
        Fact("geo", "object", "Where the visitor is: a point for $near"),
        Fact("geo.country", "string", "Country, ISO 3166 alpha-2, in capitals", form="country"),
        Fact("geo.region", "string", "Region or state"),
        Fact("geo.city", "string", "City"),
        Fact("geo.lat", "number", "Latitude in degrees", low=-90, high=90),
        Fact("geo.lon", "number", "Longitude in degrees", low=-180, high=180),
        Fact("geo.continent", "string", "Continent", values=("AF", "AN", "AS", "EU", "NA", "OC", "SA")),
        Fact("geo.eu", "boolean", "In the European Union"),
        Fact("time", "object", "The visitor's local time: for $clock, $weekday and $dates"),
        Fact("time.epoch", "number", "Seconds since 1970, UTC"),
        Fact("time.zone", "string", "IANA time zone, as in Europe/London"),
        Fact("time.iso", "string", "Local time with its offset, ISO 8601"),
        Fact("time.date", "string", "Local date", form="date"),
        Fact("time.clock", "string", "Local time of day", form="clock"),
        Fact("time.hour", "number", "Local hour", low=0, high=23),
        Fact("time.minute", "number", "Local minute", low=0, high=59),
        Fact("time.day", "number", "Local day of the month", low=1, high=31),
        Fact("time.month", "number", "Local month", low=1, high=12),
        Fact("time.year", "number", "Local year"),
        Fact("time.weekday", "string", "Local day of the week", values=WEEKDAYS),
        Fact("page.slug", "string", "Slug of the page that is asked for"),
        Fact("page.url", "string", "Address in the visitor's browser"),
        Fact("page.path", "string", "Path of that address"),
        Fact("page.host", "string", "Host of that address"),
        Fact("page.referrer", "string", "Address that the visitor came from"),
        Fact("page.utm.*", "string", "Campaign parameters: page.utm.source, page.utm.campaign ..."),
        Fact("segments", "array", "Keys of the segments that the visitor is in"),
        Fact("visitor.id", "string", "The visitor's id"),
        Fact("visitor.origin", "string", "What assignments hash on: the same before and after a log-in"),
        Fact("visitor.known", "boolean", "Has been identified"),
        Fact("visitor.new", "boolean", "Is here for the first time"),
        Fact("visitor.visits", "number", "Visits so far", low=0),
        Fact("visitor.locale", "string", "Best locale, as in en-GB"),
        Fact("visitor.language", "string", "Language of that locale, as in en"),
        Fact("visitor.timezone", "string", "IANA time zone, as in Europe/London"),
        Fact("visitor.consent", "array", "Purposes that the visitor has agreed to"),
        Fact("visitor.traits.*", "any", "What `identify` told about the visitor"),
        Fact("engagement.score", "number", "How engaged the visitor is, by recent events", low=0, high=100),
        Fact("engagement.level", "string", "The same in a word", values=("low", "medium", "high")),
        Fact(
            "engagement.percentile",
            "number",
            "How many in a hundred visitors are less engaged",
            low=0,
            high=100,
        ),
        Fact("engagement.sessions", "number", "Sessions so far", low=0),
        Fact("engagement.pageViews", "number", "Pages seen so far", low=0),
        Fact("engagement.conversions", "number", "Conversions so far", low=0),
        Fact("engagement.revenue", "number", "Revenue so far"),
        Fact("engagement.firstSeen", "number", "First seen, seconds since 1970"),
        Fact("engagement.lastSeen", "number", "Last seen, seconds since 1970"),
        Fact("engagement.daysSinceSeen", "number", "Days since the visit before", low=0),
        Fact("behaviour.session.active", "boolean", "Was here within the last half hour"),
        Fact(
            "behaviour.session.pageViews", "number", "Pages seen in this session, or in the last one", low=0
        ),
        Fact("behaviour.session.productViews", "number", "Blocks looked at in it (`view`)", low=0),
        Fact("behaviour.session.seconds", "number", "How long it lasts, or how long was read in it", low=0),
        Fact("behaviour.session.scroll", "number", "Largest share of a page seen in it", low=0, high=1),
        Fact("behaviour.session.cartAdds", "number", "Things put into the cart in it", low=0),
        Fact("behaviour.session.purchased", "boolean", "Something was bought in it"),
        Fact("behaviour.session.bounced", "boolean", "One page was seen in it, and nothing else happened"),
        Fact("behaviour.session.entryPage", "string", "The page that it began with"),
        Fact("behaviour.session.lastPage", "string", "The last page seen in it"),
        Fact("behaviour.cartAbandoned", "boolean", "Left with something in the cart"),
        Fact("behaviour.lastPages", "array", "The last twenty pages, the newest first"),
        Fact("behaviour.orders.count", "number", "Purchases so far", low=0),
        Fact("behaviour.orders.total", "number", "What they came to"),
        Fact("behaviour.orders.average", "number", "What one came to, on average"),
        Fact("behaviour.orders.last", "number", "What the last one came to"),
        *(
            Fact(f"behaviour.attribution.{touch}.{name}", "string", f"{said} {meaning}")
            for touch, meaning in (
                ("first", "of what led the visitor here first"),
                ("last", "of what led the visitor here last"),
                ("conversion", "to which the last conversion is owed"),
            )
            for name, said in (("source", "Source"), ("medium", "Medium"), ("campaign", "Campaign"))
        ),
        Fact("behaviour.*.d1", "number", "How often that type of event happened since yesterday", low=0),
        Fact("behaviour.*.d7", "number", "... in the last 7 days", low=0),
        Fact("behaviour.*.d30", "number", "... in the last 30 days", low=0),
        Fact("behaviour.*.total", "number", "... ever", low=0),
        Fact("behaviour.*.daysSince", "number", "Days since it happened last", low=0),
        Fact(
            "interests.*", "number", "Weight of an interest: interests.climbing, from -1 to 1", low=-1, high=1
        ),
        Fact("attributes.*", "any", "Whatever the frontend sends along"),
    )
}
_FAMILIES = tuple((path.partition("*"), fact) for path, fact in FACTS.items() if "*" in path)


def fact_at(path: str) -> Fact | None:
    if path in FACTS:
        return FACTS[path]
    for (start, _, end), fact in _FAMILIES:
        if path.startswith(start) and path.endswith(end) and len(path) > len(start) + len(end):
            return fact
    return None


@cache
def countries() -> frozenset[str]:
    """The ISO 3166 codes, from the table that comes with the time zones."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in table.splitlines() if line and not line.startswith("#"))
