"""What a visitor has agreed to: purposes, the last word on each, and what holds without one."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.vocabulary import Purpose


class Answer(NamedTuple):
    granted: bool
    at: float


Consents = Mapping[Purpose, Answer]


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


def allows(consents: Consents, purpose: Purpose, default: bool, gpc: bool = False) -> bool:
    """Whether `purpose` may be served: what the visitor said, else the deployment's default.

    A browser's Global Privacy Control stands for a refusal until the visitor says otherwise here.
    """
    answer = consents.get(purpose)
    return answer.granted if answer else default and not gpc


def granted(consents: Consents, default: bool, gpc: bool = False) -> tuple[Purpose, ...]:
    return tuple(purpose for purpose in Purpose if allows(consents, purpose, default, gpc))
