"""What clients see of a visitor."""

from collections.abc import Callable
from datetime import datetime

import strawberry

from schemas.vocabulary import Purpose

strawberry.enum(Purpose, name="ConsentPurpose", description="What a visitor may agree to.")


@strawberry.type(description="One name of an interest vector.")
class Interest:
    tag: str
    weight: float


@strawberry.type(description="What happened until half an hour passed without an event.")
class VisitorSession:
    start: datetime
    end: datetime
    page_views: int
    product_views: int = strawberry.field(description="Blocks looked at.")
    seconds: float = strawberry.field(
        description="How long it lasted, or how long was read, if that is more."
    )
    scroll: float = strawberry.field(description="Largest share of a page that was seen, 0 to 1.")
    cart_adds: int
    purchases: int
    bounced: bool = strawberry.field(description="One page was seen, and nothing else happened.")
    entry_page: str | None
    last_page: str | None


@strawberry.type(description="A page that a visitor opened.")
class VisitedPage:
    page: str
    at: datetime


@strawberry.type(description="What a visitor has bought.")
class VisitorOrders:
    count: int
    total: float
    average: float
    last: float


@strawberry.type(description="A conversion, and what led the visitor here before it.")
class VisitorConversion:
    type: str
    at: datetime
    value: float
    source: str | None
    medium: str | None
    campaign: str | None


@strawberry.type(description="What a visitor has done, summed up.")
class Engagement:
    score: float = strawberry.field(description="0 to 100; recent events by their weight, fading.")
    sessions: int
    page_views: int
    conversions: int
    revenue: float
    first_seen: datetime | None
    last_seen: datetime | None
    level: str = strawberry.field(description="The score in a word: low, medium or high.")
    percentile: float | None = strawberry.field(
        description="How many in a hundred visitors have a lower score; null until somebody's is known."
    )
    orders: VisitorOrders
    all_sessions: strawberry.Private[Callable[[], list[VisitorSession]]]
    all_pages: strawberry.Private[Callable[[], list[VisitedPage]]]
    all_conversions: strawberry.Private[Callable[[], list[VisitorConversion]]]

    @strawberry.field(description="The last dozen or so, the newest first.")
    def recent_sessions(self) -> list[VisitorSession]:
        return self.all_sessions()

    @strawberry.field(description="The way through the site: the last twenty pages, the newest first.")
    def last_pages(self) -> list[VisitedPage]:
        return self.all_pages()

    @strawberry.field(description="The last ten, the newest first.")
    def recent_conversions(self) -> list[VisitorConversion]:
        return self.all_conversions()


@strawberry.type(description="What is remembered of a visitor.")
class Visitor:
    id: strawberry.ID
    segments: list[str]
    engagement: Engagement
    consent: list[Purpose] = strawberry.field(description="The purposes that are granted.")
    visits: int
    profile_version: str = strawberry.field(
        description="Pass it to `page(atLeast:)` to be served at least this state, by any process."
    )
    all_interests: strawberry.Private[list[Interest]]

    @strawberry.field(description="Weights of the unit vector, largest first.")
    def interests(self, first: int = 20) -> list[Interest]:
        return self.all_interests[: max(0, first)]
