"""How much each of ever so many keys did lately, in constant memory: a count-min sketch that fades.

After Cormode and Muthukrishnan (2005) with the conservative update of Estan and Varghese (2002): it never tells
too little. It tells too much of a key that shares a cell of every row with busier ones: with 65,536 cells a row,
2.7 / 65,536 of all that was counted is exceeded with a probability of exp(-4) at the most.

Counts fade by half in a half-life. Not they are made smaller, but what is added later is larger (Cormode et al.,
"Forward Decay", 2009), so that nothing sweeps the cells; but once in a long while, when the numbers grow large.
"""

from array import array
from collections.abc import Hashable
from math import exp2, inf, log, log2

import numpy as np

ROWS = 4
BITS = 16  # of a key's 64-bit hash for each row: four rows use all of them
_MASK = (1 << BITS) - 1
_HALF = 0.5  # of one: what fades is never nothing, and all but nothing must be allowed once more
_LARGE = 500.0  # half-lives; 2 ** 1000 still is a number


class Sketch:
    """2 MB. Python's own hash is keyed anew in each process, so that nobody can choose keys that collide."""

    def __init__(self, half_life: float) -> None:
        """In seconds, as all times are; `now` never goes back."""
        self._half_life = half_life
        self._landmark: float | None = None
        self._cells = array("d", bytes(8 * ROWS << BITS))

    def add(self, key: Hashable, amount: float, now: float, most: float = inf) -> float:
        """What the key did lately, this included; it is not counted where that is beyond `most`."""
        cells, places, scale = self._cells, _places(key), self._scale(now)
        told = min([cells[place] for place in places]) + amount * scale
        if told > most * scale:
            return told / scale
        for place in places:
            if cells[place] < told:  # noqa: PLR1730  # `max` takes twice as long
                cells[place] = told
        return told / scale

    def _scale(self, now: float) -> float:
        if self._landmark is None:
            self._landmark = now
        age = (now - self._landmark) / self._half_life
        if age > _LARGE:
            self._renew(age, now)
            return 1.0
        return exp2(age)

    def _renew(self, age: float, now: float) -> None:
        """From here all is counted from now; 0.2 ms. What is a thousand half-lives old is nothing any more."""
        np.frombuffer(self._cells)[:] *= 2.0 ** -min(age, 1000.0)
        self._landmark = now


class Pace:
    """So many in so many seconds, by each key. Who keeps a steady pace has done so many lately, as the sketch fades;
    and who did nothing may do all of it at once."""

    def __init__(self, amount: float, seconds: float) -> None:
        self._amount = amount
        self._half_life = seconds * log(2)
        self._sketch = Sketch(self._half_life)

    def beyond(self, key: Hashable, amount: float, now: float) -> bool:
        """Count it whatever the pace, and tell whether that is kept: who goes on stays beyond."""
        return self._sketch.add(key, amount, now) > self._amount

    def wait(self, key: Hashable, now: float) -> float:
        """Count one if the pace allows it; else the seconds until it will, and nothing is counted."""
        told = self._sketch.add(key, 1.0, now, self._amount + _HALF)
        if told <= self._amount + _HALF:
            return 0.0
        return self._half_life * log2((told - 1.0) / (self._amount - _HALF))


def _places(key: Hashable) -> tuple[int, int, int, int]:
    found = hash(key)
    return (
        found & _MASK,
        (found >> BITS & _MASK) + (1 << BITS),
        (found >> 2 * BITS & _MASK) + (2 << BITS),
        (found >> 3 * BITS & _MASK) + (3 << BITS),
    )
