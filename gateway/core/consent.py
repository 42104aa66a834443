"""What a visitor has agreed to: purposes, and the last word on each. What holds without one: core/terms."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.vocabulary import Purpose

KEEPING = (Purpose.ANALYTICS, Purpose.PERSONALIZATION)  # either of them allows to keep events


class Answer(NamedTuple):
    granted: bool
    at: float


Consents = Mapping[Purpose, Answer]
Said = Mapping[Purpose, bool]
"""What a message says of purposes, at the moment that it tells of."""


def answered(purposes: Iterable[Purpose], granted: bool, at: float) -> Consents:
    return {purpose: Answer(granted, at) for purpose in purposes}


def latest(one: Consents, other: Consents) -> Consents:
    """The last word on each purpose; at the same instant a refusal stands."""
    if not other:
        return one
    merged = dict(one)
    for purpose, answer in other.items():
        merged[purpose] = min(
            merged.get(purpose, answer), answer, key=lambda candidate: (-candidate.at, candidate.granted)
        )
    return merged


def whole(said: Said) -> Said:
    """Who refuses one purpose of keeping, and says nothing of the other, has refused that too."""
    answers = [said[purpose] for purpose in KEEPING if purpose in said]
    if not answers or any(answers):
        return said
    return {**said, **dict.fromkeys(KEEPING, False)}


def joined(one: Said, other: Said) -> Said:
    """Of two words on a purpose, no stands."""
    if not other:
        return one
    return {purpose: one.get(purpose, True) and other.get(purpose, True) for purpose in {**one, **other}}
