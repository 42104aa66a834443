"""What all visitors together have done with each block: the counts behind popularity.

They are folded from the event log into a snapshot that every process shares, so that every process ranks
alike; only blocks that something happened to are in it.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson

from gateway.core.events import Event, weight_of
from gateway.core.percentiles import Quantiles, Sample

HALF_LIFE = 14 * 86400.0  # seconds
REBASE = 64.0  # half-lives between landmark and newest event before the counts are brought forward


@dataclass(frozen=True, slots=True)
class Signals:
    """`shown` and `won` are decayed counts by block key; `upto` is how far the log has been read.

    `quantiles` are of the engagement of all visitors, as the `sample` has it (core/percentiles).
    """

    version: int = 0
    landmark: float = 0.0
    upto: float = 0.0
    shown: Mapping[str, float] = field(default_factory=dict)
    won: Mapping[str, float] = field(default_factory=dict)
    sample: Sample = field(default_factory=dict)
    quantiles: Quantiles = ()

    def columns(self, keys: Iterable[str]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """(shown, won) as arrays in the order of `keys`.

        Where no impressions are recorded at all, every block counts as shown equally often.
        """
        keys = list(keys)
        won = np.fromiter((self.won.get(key, 0.0) for key in keys), float, len(keys))
        shown = np.fromiter((self.shown.get(key, 0.0) for key in keys), float, len(keys))
        if not shown.any():
            shown = np.full(len(keys), won.sum())
        return np.maximum(shown, won), won


def folded(
    signals: Signals,
    events: Iterable[Event],
    weights: Mapping[str, float],
    upto: float,
    published: Container[str],
) -> Signals:
    """The next snapshot: these events added, each fading with its age.

    Clients may send any key, so only those of published blocks are counted.
    """
    landmark, fade = _landmark(signals, upto)
    shown = {key: count * fade for key, count in signals.shown.items()}
    won = {key: count * fade for key, count in signals.won.items()}
    for event in events:
        if event.block is None or event.block not in published:
            continue
        strength = 2.0 ** ((event.at - landmark) / HALF_LIFE)
        if event.type == "impression":
            shown[event.block] = shown.get(event.block, 0.0) + strength
        elif (weight := weight_of(event, weights)) > 0.0:
            won[event.block] = won.get(event.block, 0.0) + weight * strength
    return replace(signals, version=signals.version + 1, landmark=landmark, upto=upto, shown=shown, won=won)


def _landmark(signals: Signals, upto: float) -> tuple[float, float]:
    if upto - signals.landmark < REBASE * HALF_LIFE:
        return signals.landmark, 1.0
    return upto, 2.0 ** max(-1000.0, (signals.landmark - upto) / HALF_LIFE)


def to_bytes(signals: Signals) -> bytes:
    return orjson.dumps({name: getattr(signals, name) for name in Signals.__dataclass_fields__})


def from_bytes(body: bytes) -> Signals:
    found = orjson.loads(body)
    return Signals(**{**found, "quantiles": tuple(found.get("quantiles", ()))})
