"""What clients see of a visitor."""

from datetime import datetime

import strawberry

from schemas.vocabulary import Purpose

strawberry.enum(Purpose, name="ConsentPurpose", description="What a visitor may agree to.")


@strawberry.type(description="One name of an interest vector.")
class Interest:
    tag: str
    weight: float


@strawberry.type(description="What a visitor has done, summed up.")
class Engagement:
    score: float = strawberry.field(description="0 to 100; recent events by their weight, fading.")
    sessions: int
    page_views: int
    conversions: int
    revenue: float
    first_seen: datetime | None
    last_seen: datetime | None


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
