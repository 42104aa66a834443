"""What clients send along: context, events, filters."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON


@strawberry.input(description="What the client knows of the device; the rest is read from the request.")
class DeviceInput:
    type: str | None = None
    os: str | None = None
    os_version: str | None = None
    browser: str | None = None
    browser_version: str | None = None
    model: str | None = None
    bot: bool | None = None


@strawberry.input
class GeoInput:
    country: str | None = strawberry.field(default=None, description="ISO 3166-1 alpha-2.")
    region: str | None = None
    city: str | None = None
    lat: float | None = None
    lon: float | None = None


@strawberry.input(description="What the visitor's consent platform says; it holds for this request.")
class ConsentInput:
    tcf: str | None = strawberry.field(
        default=None, description="A consent string of the IAB's framework, version 2."
    )
    gcs: str | None = strawberry.field(default=None, description="Google's parameter, like G101.")
    gcd: str | None = strawberry.field(default=None, description="Google's parameter, like 13p3t3t3t5l1.")
    signals: JSON | None = strawberry.field(
        default=None, description='Google\'s Consent Mode: `{"analytics_storage": "denied"}`.'
    )


@strawberry.input(description="Explicit circumstances; they win over what the request itself tells.")
class ContextInput:
    device: DeviceInput | None = None
    geo: GeoInput | None = None
    time: datetime | None = strawberry.field(default=None, description="The moment to choose for.")
    timezone: str | None = strawberry.field(default=None, description="IANA name, like Europe/London.")
    locale: str | None = strawberry.field(default=None, description="BCP 47, like en-GB.")
    url: str | None = None
    referrer: str | None = None
    attributes: JSON | None = strawberry.field(
        default=None, description="Anything of your own: `attributes.*`."
    )
    consent: ConsentInput | None = None


@strawberry.input(description="Every named condition must hold.")
class BlockFilter:
    type: list[str] | None = strawberry.field(default=None, description="Any of these block types.")
    tags: list[str] | None = strawberry.field(default=None, description="At least one of these tags.")
    keys: list[str] | None = None
    exclude: list[str] | None = strawberry.field(default=None, description="Keys to leave out.")


@strawberry.input(description="See the page as somebody else would. Needs the scope `editor`.")
class PreviewInput:
    interests: JSON | None = strawberry.field(
        default=None, description="Interests by tag, in place of the visitor's."
    )
    segments: list[str] | None = strawberry.field(
        default=None, description="Segments in place of the visitor's."
    )
    drafts: bool = strawberry.field(
        default=False, description="With everything that is saved but not published."
    )


@strawberry.input(description="One thing a visitor did.")
class EventInput:
    type: str
    visitor: strawberry.ID
    id: strawberry.ID | None = strawberry.field(
        default=None, description="Send the same id again and it counts once. Made here when missing."
    )
    block: str | None = None
    variant: str | None = None
    decision: strawberry.ID | None = None
    page: str | None = None
    value: float | None = strawberry.field(
        default=None, description="Seconds of a dwell, share of a scroll, amount of a purchase."
    )
    properties: JSON | None = None
    occurred_at: datetime | None = None
    context: ContextInput | None = None
