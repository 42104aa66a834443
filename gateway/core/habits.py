"""The facts `behaviour.*`: what a visitor does, read from what is remembered. Each group at its first need."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.core.attribution import Touch, credited
from gateway.core.behaviour import Behaviour
from gateway.core.profiles import Profile
from gateway.core.sessions import GAP
from gateway.core.spells import last_seen, sessions_of
from gateway.core.tallies import Tallies

WINDOWS: Mapping[str, int] = {"d1": 1, "d7": 7, "d30": 30}  # days before today
COUNTS = (*WINDOWS, "total", "daysSince")


class Habits(Mapping[str, Any]):
    """Of one profile at one moment. A name that is no group is a type of events, with its counts."""

    __slots__ = ("_at", "_behaviour", "_known", "_window")

    def __init__(self, profile: Profile, at: float) -> None:
        self._behaviour = profile.memory.behaviour
        self._window = profile.learning.attribution
        self._at = at
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = self._worked_out(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*GROUPS, *(kind for kind in self._behaviour.tallies if kind not in GROUPS)])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _worked_out(self, name: str) -> Any:
        group = GROUPS.get(name)
        if group is None:
            return Counts(self._behaviour.tallies, name, self._at)
        return group(self._behaviour, self._at, self._window)


class Counts(Mapping[str, Any]):
    """How often a type of events happened; one that never did counts zero. A type may have dots in its name."""

    __slots__ = ("_at", "_kind", "_tallies")

    def __init__(self, tallies: Tallies, kind: str, at: float) -> None:
        self._tallies = tallies
        self._kind = kind
        self._at = at

    def __getitem__(self, name: str) -> Any:
        tally = self._tallies.get(self._kind)
        if name not in COUNTS:
            return Counts(self._tallies, f"{self._kind}.{name}", self._at)
        if tally is None:
            return None if name == "daysSince" else 0
        if name in WINDOWS:
            return tally.within(WINDOWS[name], self._at)
        return tally.total if name == "total" else max(0.0, (self._at - tally.last / 1000) / 86400.0)

    def __iter__(self) -> Iterator[str]:
        return iter(COUNTS)

    def __len__(self) -> int:
        return len(COUNTS)


def _session(behaviour: Behaviour, at: float, window: float) -> Mapping[str, Any]:
    """The session that goes on, or the last one."""
    sessions = sessions_of(behaviour.spells)
    if not sessions:
        return {}
    newest = sessions[0]
    return {
        "active": at - newest.end <= GAP,
        "pageViews": newest.page_views,
        "productViews": newest.product_views,
        "seconds": newest.seconds,
        "scroll": newest.scroll,
        "cartAdds": newest.cart_adds,
        "purchased": newest.purchases > 0,
        "bounced": newest.bounced,
        "entryPage": newest.entry,
        "lastPage": newest.exit,
    }


def _cart_abandoned(behaviour: Behaviour, at: float, window: float) -> bool:
    """Something was put into the cart, nothing bought since, and the visitor is gone."""
    filled, bought = (behaviour.tallies.get(kind) for kind in ("add_to_cart", "purchase"))
    seen = last_seen(behaviour.spells)
    if filled is None or seen is None or at - seen <= GAP:
        return False
    return bought is None or bought.last < filled.last


def _last_pages(behaviour: Behaviour, at: float, window: float) -> list[str]:
    """The newest first."""
    return [page for _, page in reversed(behaviour.path)]


def _orders(behaviour: Behaviour, at: float, window: float) -> Mapping[str, Any]:
    orders = behaviour.orders
    found: dict[str, Any] = {"count": orders.number, "total": orders.total}
    return found | {"last": orders.last, "average": orders.total / orders.number} if orders.number else found


def _attribution(behaviour: Behaviour, at: float, window: float) -> Mapping[str, Any]:
    owed = credited(behaviour.conversions, behaviour.touches, behaviour.first_touch, window)
    return {
        "first": _origin(behaviour.first_touch),
        "last": _origin(behaviour.touches[-1] if behaviour.touches else None),
        "conversion": _origin(owed[0][1] if owed else None),
    }


def _origin(touch: Touch | None) -> Mapping[str, str]:
    return {name: text for name in Touch._fields[1:] if (text := getattr(touch, name, ""))}


GROUPS: Mapping[str, Callable[[Behaviour, float, float], Any]] = {
    "session": _session,
    "cartAbandoned": _cart_abandoned,
    "lastPages": _last_pages,
    "orders": _orders,
    "attribution": _attribution,
}
