"""What a visitor did, in the words of the contract."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.core.attribution import credited
from gateway.core.profiles import Profile
from gateway.core.spells import Session, sessions_of
from schemas.visitors import Engagement, VisitedPage, VisitorConversion, VisitorOrders, VisitorSession

NO_ENGAGEMENT = Engagement(
    score=0.0,
    sessions=0,
    page_views=0,
    conversions=0,
    revenue=0.0,
    first_seen=None,
    last_seen=None,
    level="low",
    percentile=None,
    orders=VisitorOrders(count=0, total=0.0, average=0.0, last=0.0),
    all_sessions=list,
    all_pages=list,
    all_conversions=list,
)


def engagement(profile: Profile, facts: Mapping[str, Any]) -> Engagement:
    """`facts` are those of `engagement` that conditions read; what is listed is worked out for who asks."""
    memory = profile.memory
    return Engagement(
        score=facts["score"],
        sessions=memory.sessions.count,
        page_views=memory.page_views,
        conversions=memory.conversions,
        revenue=memory.revenue,
        first_seen=moment(memory.first_seen),
        last_seen=moment(memory.last_seen),
        level=facts["level"],
        percentile=facts.get("percentile"),
        orders=_orders(profile),
        all_sessions=lambda: [_session(session) for session in sessions_of(memory.behaviour.spells)],
        all_pages=lambda: [
            VisitedPage(page=page, at=_at(at)) for at, page in reversed(memory.behaviour.path)
        ],
        all_conversions=lambda: _conversions(profile),
    )


def moment(at: float | None) -> datetime | None:
    """Of seconds since 1970."""
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _session(session: Session) -> VisitorSession:
    return VisitorSession(
        start=datetime.fromtimestamp(session.start, UTC),
        end=datetime.fromtimestamp(session.end, UTC),
        page_views=session.page_views,
        product_views=session.product_views,
        seconds=session.seconds,
        scroll=session.scroll,
        cart_adds=session.cart_adds,
        purchases=session.purchases,
        bounced=session.bounced,
        entry_page=session.entry,
        last_page=session.exit,
    )


def _orders(profile: Profile) -> VisitorOrders:
    orders = profile.memory.behaviour.orders
    average = orders.total / orders.number if orders.number else 0.0
    return VisitorOrders(count=orders.number, total=orders.total, average=average, last=orders.last)


def _conversions(profile: Profile) -> list[VisitorConversion]:
    behaviour = profile.memory.behaviour
    owed = credited(
        behaviour.conversions, behaviour.touches, behaviour.first_touch, profile.learning.attribution
    )
    return [
        VisitorConversion(
            type=conversion.type,
            at=_at(conversion.at),
            value=conversion.value,
            source=touch.source or None if touch else None,
            medium=touch.medium or None if touch else None,
            campaign=touch.campaign or None if touch else None,
        )
        for conversion, touch in owed
    ]
