"""What choosing worked out and may need again: bounded, and gone with the edition that it was worked out from."""

from collections import OrderedDict
from typing import Any, TypeVar

from gateway.core.profiles import Profile

PROFILES = 2_048  # whose newest state is kept, the most recently asked for
OF_A_PROFILE = 24  # pages and orders, in different circumstances
OF_STRANGERS = 1_024

Value = TypeVar("Value")


class Memo:
    """The entry that came first goes first."""

    def __init__(self, size: int) -> None:
        self._kept: dict[Any, Any] = {}
        self._size = size

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Any) -> Any:
        return self._kept.get(key)

    def put(self, key: Any, value: Value) -> Value:
        if len(self._kept) >= self._size:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = value
        return value


class Memos:
    """One for each state of a profile, and one for all of whom nothing is known."""

    def __init__(self) -> None:
        self.strangers = Memo(OF_STRANGERS)
        self._of: OrderedDict[str, tuple[Profile, Memo]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._of)

    def of(self, profile: Profile | None) -> Memo:
        if profile is None or profile.blank:
            return self.strangers
        kept = self._of.get(profile.id)
        if kept is not None and kept[0] is profile:
            self._of.move_to_end(profile.id)
            return kept[1]
        memo = Memo(OF_A_PROFILE)
        self._of[profile.id] = profile, memo
        self._of.move_to_end(profile.id)
        if len(self._of) > PROFILES:
            self._of.popitem(last=False)
        return memo
