"""What GraphQL can say about a block's data: its JSON Schema as a tree of shapes.

A shape is a scalar, a list, or an object with fields. Whatever GraphQL has no type for (alternatives,
free objects, values of several types) is the scalar JSON.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote

Json: TypeAlias = Mapping[str, Any]
Scalar: TypeAlias = Literal["String", "Int", "Float", "Boolean", "JSON"]

MAX_DEPTH = 8  # objects and lists within each other; what lies deeper is JSON

_SCALARS: Mapping[str, Scalar] = {"string": "String", "number": "Float", "boolean": "Boolean"}
MAX_REFERENCES = 32  # that lead to one another
_ALTERNATIVES = frozenset({"anyOf", "oneOf"})
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


@dataclass(frozen=True, slots=True)
class ListOf:
    item: "Shape"


@dataclass(frozen=True, slots=True)
class Field:
    name: str  # in GraphQL
    key: str  # in the data
    shape: "Shape"
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """`name` is that of its GraphQL type: the block type's name, then those of the fields that lead here."""

    name: str
    fields: tuple[Field, ...]
    description: str | None = None
    refused: tuple[tuple[str, str], ...] = ()  # keys of the data that are no field, and why


Shape: TypeAlias = Scalar | ListOf | ObjectOf


def shape_of(name: str, schema: Json) -> ObjectOf:
    """The shape of a block type; it has no fields when the schema names none that GraphQL can name."""
    return _object(name, schema, schema, 0)


def graphql_name(key: str) -> str | None:
    """A key of JSON as a name of GraphQL: cta-label becomes ctaLabel. None when nothing is left of it."""
    words = [word for word in re.split(r"[^A-Za-z0-9_]+", key) if word]
    name = "".join([*words[:1], *(word[0].upper() + word[1:] for word in words[1:])])
    name = f"_{name}" if name[:1].isdigit() else name
    return name if name.strip("_") and not name.startswith("__") else None


def pascal(name: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in name.split("_") if word)


def _object(owner: str, schema: Json, root: Json, depth: int) -> ObjectOf:
    fields: dict[str, Field] = {}
    refused: list[tuple[str, str]] = []
    for key, part in schema.get("properties", {}).items():
        name = graphql_name(key)
        if name is None:
            refused.append((key, "has no name in GraphQL: use the letters a to z, digits and _"))
        elif name in fields:
            refused.append((key, f"is {name!r} in GraphQL, as {fields[name].key!r} is: rename one"))
        else:
            own = _resolved(part, root)
            fields[name] = Field(name, key, _shape(owner + pascal(name), own, root, depth + 1), _about(own))
    return ObjectOf(owner, tuple(fields.values()), _about(schema), tuple(refused))


def _shape(name: str, schema: Json, root: Json, depth: int) -> Shape:
    kind = _kind(schema)
    if kind == "integer":
        return _integer(schema)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if depth >= MAX_DEPTH:
        return "JSON"
    if kind == "array" and "items" in schema and "prefixItems" not in schema:
        return ListOf(_shape(name, _resolved(schema["items"], root), root, depth + 1))
    shape = _object(name, schema, root, depth) if kind == "object" else None
    return shape if shape and shape.fields else "JSON"


def _integer(schema: Json) -> Scalar:
    """GraphQL's Int has 32 bits; a schema whose bounds go beyond gets Float, which is exact to 53 bits."""
    low = min(schema.get("minimum", 0), schema.get("exclusiveMinimum", 0))
    high = max(schema.get("maximum", 0), schema.get("exclusiveMaximum", 0))
    return "Int" if low >= _INT_MIN and high <= _INT_MAX else "Float"


def _kind(schema: Json) -> str:
    """The one type that a value has besides null; "" when there are several, or none is said."""
    declared = schema.get("type")
    kinds = {*declared} if isinstance(declared, list) else {declared or _kind_of_values(schema)}
    kinds.discard("null")
    return kinds.pop() if len(kinds) == 1 else ""


def _kind_of_values(schema: Json) -> str:
    values = [schema["const"]] if "const" in schema else schema.get("enum", ())
    if values and all(isinstance(value, str | None) for value in values):
        return "string"
    return "object" if "properties" in schema else ""


def _resolved(schema: Json | bool, root: Json) -> Json:
    """Without `$ref` (what stands beside it counts first), and without an alternative null."""
    for _ in range(MAX_REFERENCES):
        if isinstance(schema, bool):
            return {}
        if "$ref" in schema:
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**_referred(schema["$ref"], root), **beside}
        elif (only := _alternative(schema)) is not None:
            schema = {**only, **{key: value for key, value in schema.items() if key not in _ALTERNATIVES}}
        else:
            return schema
    return {}


def _alternative(schema: Json) -> Json | None:
    """Of `anyOf` or `oneOf` a type and null: the type."""
    for word in _ALTERNATIVES & schema.keys():
        others = [option for option in schema[word] if option != {"type": "null"}]
        if len(others) == 1 and isinstance(others[0], Mapping):
            return others[0]
    return None


def _referred(ref: str, root: Json) -> Json:
    target: Any = root
    for step in unquote(ref).removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        target = target[int(key)] if isinstance(target, list) else target[key]
    return target if isinstance(target, Mapping) else {}


def _about(schema: Json) -> str | None:
    return schema.get("description") or schema.get("title")
