"""How often operations ran compiled, bailed out, or were the reference's: a silent fall costs twenty-fold."""

from dataclasses import dataclass

MOST_NAMES = 200  # that are counted apart: clients choose them
UNNAMED = "anonymous"
OTHERS = "others"


@dataclass(slots=True)
class Counts:
    """`hits`: ran compiled. `bails`: the reference had to finish. `fallbacks`: cannot be compiled."""

    hits: int = 0
    bails: int = 0
    fallbacks: int = 0


class CountsByName(dict[str, Counts]):
    """By the name of the operation."""

    def of(self, name: str | None) -> Counts:
        name = name or UNNAMED
        if name not in self and len(self) >= MOST_NAMES:
            name = OTHERS
        return self.setdefault(name, Counts())
