"""Segments: named rules over profile and context, with the same conditions as variants."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from content_blocks.conditions import Condition, compile_condition

Groups = Mapping[str, Sequence[Any]]  # what `$inGroup` looks in: the members of a segment, by its key


@dataclass(frozen=True, slots=True)
class Segment:
    key: str
    name: str
    condition: Condition


def groups_of(documents: Iterable[Mapping[str, Any]]) -> Groups:
    return {document["key"]: document["members"] for document in documents if document.get("members")}


def compile_segment(document: Mapping[str, Any], groups: Groups) -> Segment:
    """A segment of members alone holds for whoever's id is listed."""
    when = document.get("when") or {"visitor.id": {"$inGroup": document["key"]}}
    name = document.get("name") or document["key"]
    return Segment(document["key"], name, compile_condition(when, groups))


def segments_of(facts: Mapping[str, Any], segments: Iterable[Segment]) -> list[str]:
    return [segment.key for segment in segments if segment.condition.matches(facts)]
