"""How much a block type's schema may ask for, so that no check of content can hang.

Every `$ref` stays inside the schema and never leads back to itself; written out in full, the schema
has at most 2,000 parts and 50 regular expressions. So checking a block costs at most its size times
2,000, and far less in practice.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from content_blocks.json_schema import Place, at_pointer, pointer

MAX_PARTS = 2_000
MAX_DEPTH = 24
MAX_PATTERNS = 50  # each may take a megabyte

_ONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
        "unevaluatedItems", "unevaluatedProperties")  # fmt: skip
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "dependentSchemas")
_REFUSED = {
    "$id": "must not be given: a block type's schema stands alone",
    "$anchor": "is not supported; refer to #/$defs/...",
    "$dynamicRef": "is not supported; use $ref",
    "$dynamicAnchor": "is not supported; refer to #/$defs/...",
}

_Part = tuple[str, Any, tuple[str, ...], int]  # pointer, subschema, the references that led here, depth


def structure_problems(schema: Mapping[str, Any]) -> list[Place]:
    """Beyond the limits, or a reference that leaves the schema, leads nowhere or to itself."""
    found: dict[Place, None] = {}  # a set in order: a definition used twice is reported once
    parts: list[_Part] = [("", schema, (), 0)]
    patterns = 0
    for _ in range(MAX_PARTS):
        if not parts:
            return list(found)
        part = parts.pop()
        patterns += _patterns(part[1])
        if patterns > MAX_PATTERNS:
            return [*found, ("", f"has more than {MAX_PATTERNS} regular expressions")]
        complaints = list(_complaints(part, schema))
        found.update(dict.fromkeys(complaints))
        if not complaints:
            parts += _children(part, schema)
    return [*found, ("", f"is too large: more than {MAX_PARTS:,} parts when its references are written out")]


def resolve(root: Mapping[str, Any], ref: str) -> Any:
    """What a `$ref` of this schema refers to; None when that is nothing in it."""
    return at_pointer(root, unquote(ref[1:])) if ref.startswith("#/") else None


def _complaints(part: _Part, root: Mapping[str, Any]) -> Iterator[Place]:
    place, schema, refs, depth = part
    if depth > MAX_DEPTH:
        yield place, f"is nested deeper than {MAX_DEPTH} levels"
    if not isinstance(schema, Mapping):
        return
    yield from ((f"{place}/{key}", why) for key, why in _REFUSED.items() if key in schema)
    ref = schema.get("$ref")
    if isinstance(ref, str) and ref in refs:
        yield f"{place}/$ref", "leads back to itself: nest to a depth that is written out"
    elif isinstance(ref, str) and resolve(root, ref) is None:
        yield f"{place}/$ref", "refers to nothing in this schema; use #/$defs/... and define it there"


def _patterns(schema: Any) -> int:
    return (
        len(schema.get("patternProperties", ())) + ("pattern" in schema) if isinstance(schema, Mapping) else 0
    )


def _children(part: _Part, root: Mapping[str, Any]) -> Iterator[_Part]:
    place, schema, refs, depth = part
    if not isinstance(schema, Mapping):
        return
    for steps, child in _subschemas(schema):
        yield place + pointer(steps), child, refs, depth + 1
    if isinstance(ref := schema.get("$ref"), str):
        yield ref[1:], resolve(root, ref), (*refs, ref), depth + 1


def _subschemas(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    for key in _ONE:
        if key in schema:
            yield (key,), schema[key]
    for key in _LISTS:
        if isinstance(schema.get(key), list):
            yield from (((key, i), child) for i, child in enumerate(schema[key]))
    for key in _NAMED:
        if isinstance(schema.get(key), Mapping):
            yield from (((key, name), child) for name, child in schema[key].items())
