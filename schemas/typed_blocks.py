"""Block types as GraphQL object types: the members of the union `BlockContent`, made at run time.

All fields are nullable, so that types which share a field name do not differ in nullability, and so
that data which does not fit its schema (an older one, say) costs one field and not the page.
"""

import keyword
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import strawberry
from strawberry.scalars import JSON

from schemas.shapes import Field, Json, ListOf, ObjectOf, Scalar, Shape, pascal, shape_of

_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1

# Types of the GraphQL API and of GraphQL itself, which a block type cannot be called.
RESERVED = frozenset({
    "Query", "Mutation", "Subscription", "String", "Int", "Float", "Boolean", "ID", "JSON", "DateTime",
    "BlockContent", "Page", "PageInfo", "Basis", "Slot", "ChosenBlock", "Reason", "Strategy",
    "CandidateTrace", "FailedClause", "Assignment", "Decision", "Visitor", "Interest", "Engagement",
    "ConsentPurpose", "TrackResult", "RejectedEvent", "ForgetResult", "ConditionTrial", "Recommendation",
    "RecommendationConnection", "RecommendationEdge", "BlockFilter", "ContextInput", "DeviceInput",
    "GeoInput", "EventInput", "PreviewInput", "FilterInput", "Block", "BlockType", "Variant", "Segment",
    "Experiment", "Event", "Revision", "BlockInput", "BlockTypeInput", "VariantInput", "SegmentInput",
    "SlotInput", "PageInput", "ContentConnection", "ContentEdge", "ContentItem", "ContentKind",
    "ContentProblem", "ContentRef", "SavedContent", "Publication", "NewToken", "TokenInfo",
    "Scope", "ArmInput", "ExperimentInput", "MetricInput", "RevisionInfo", "ConsentInput", "AuditKind",
    "AuditEntry", "AuditEdge", "AuditConnection",
})  # fmt: skip

Content = TypeVar("Content")
Convert = Callable[[Any], Any]


class Clash(NamedTuple):
    """Why two block types, or two fields of one, cannot stand side by side in a GraphQL schema."""

    type_a: str
    type_b: str
    field: str  # a path, such as cta.label
    message: str


def content_types(block_types: Mapping[str, Json]) -> dict[str, type]:
    """A strawberry type for each block type, by its name; `block_types` are valid JSON Schemas.

    A type whose schema names no fields has one, `_data`, with all of its data.
    """
    return {name: _object_type(_with_a_field(shape_of(name, schema))) for name, schema in block_types.items()}


def content_of(content_type: type[Content], data: Mapping[str, Any]) -> Content:
    """The data as an instance of its content type; what has the wrong type is None. Never raises."""
    made: Content = content_type.__from_data__(data)  # type: ignore[attr-defined]
    return made


def clashes(block_types: Mapping[str, Json], reserved: Collection[str] = ()) -> list[Clash]:
    """Names that would make the GraphQL schema, or a query that selects all block types, invalid.

    `reserved` are the names of the API's own types.
    """
    shapes = [_with_a_field(shape_of(name, schema)) for name, schema in block_types.items()]
    return [*_naming_clashes(shapes), *_type_clashes(shapes, reserved), *_field_clashes(shapes)]


# --- making the types ---


def _with_a_field(shape: ObjectOf) -> ObjectOf:
    """GraphQL has no type without fields."""
    if shape.fields:
        return shape
    everything = Field("_data", "", "JSON", "All of the data.")
    return ObjectOf(shape.name, (everything,), shape.description, shape.refused)


def _object_type(shape: ObjectOf) -> type:
    fields = [(_attribute(field.name), field, *_typed(field.shape)) for field in shape.fields]
    body: dict[str, Any] = {
        name: strawberry.field(name=field.name, description=field.description, default=None)
        for name, field, _, _ in fields
    }
    body["__annotations__"] = {name: annotation for name, _, annotation, _ in fields}
    made = strawberry.type(type(shape.name, (), body), name=shape.name, description=shape.description)
    made.__from_data__ = _reader(made, [(name, field.key, convert) for name, field, _, convert in fields])  # type: ignore[attr-defined]
    return made


def _attribute(name: str) -> str:
    """Python has no field `class`; names with two leading underscores are free, as GraphQL has none."""
    return f"__{name}" if keyword.iskeyword(name) or name == "self" else name


def _typed(shape: Shape) -> tuple[Any, Convert]:
    """The annotation of a field, and what brings a value of the data into it."""
    if isinstance(shape, ListOf):
        item, convert = _typed(shape.item)
        return list[item] | None, _list(convert)  # type: ignore[valid-type]
    if isinstance(shape, ObjectOf):
        made = _object_type(shape)
        return made | None, made.__from_data__  # type: ignore[attr-defined]
    return _SCALARS[shape]


def _reader(made: type, fields: list[tuple[str, str, Convert]]) -> Convert:
    def read(data: Any) -> Any:
        if not isinstance(data, Mapping):
            return None
        return made(**{name: convert(data.get(key) if key else data) for name, key, convert in fields})

    return read


def _list(convert: Convert) -> Convert:
    return lambda value: [convert(item) for item in value] if isinstance(value, list | tuple) else None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _float(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _integer(value: Any) -> int | None:
    number = _float(value)
    return int(number) if number is not None and number % 1 == 0 and _INT_MIN <= number <= _INT_MAX else None


_SCALARS: Mapping[Scalar, tuple[Any, Convert]] = {
    "String": (str | None, _string),
    "Boolean": (bool | None, _boolean),
    "Float": (float | None, _float),
    "Int": (int | None, _integer),
    "JSON": (JSON | None, lambda value: value),
}


# --- what cannot stand side by side ---


def _naming_clashes(shapes: list[ObjectOf]) -> Iterator[Clash]:
    for block_type in shapes:
        for path, shape in _objects(block_type):
            for key, why in shape.refused:
                yield Clash(block_type.name, block_type.name, ".".join((*path, key)), why)


def _type_clashes(shapes: list[ObjectOf], reserved: Collection[str]) -> Iterator[Clash]:
    """Two GraphQL types of one name: HeroCta may be a block type, and what lies in Hero's `cta`."""
    owners = {**dict.fromkeys(reserved, "the API"), **{shape.name: shape.name for shape in shapes}}
    for block_type in shapes:
        for path, shape in _objects(block_type):
            if path and shape.name in owners:
                owner, field = owners[shape.name], ".".join(path)
                why = f"would be the GraphQL type {shape.name}, which {owner} has already: rename this field"
                yield Clash(owner, block_type.name, field, why)
            owners.setdefault(shape.name, block_type.name)


def _field_clashes(shapes: list[ObjectOf]) -> Iterator[Clash]:
    """One field name with two types: GraphQL could not merge a selection of both (its rule 5.3.2)."""
    first: dict[tuple[str, ...], tuple[str, str]] = {}
    for block_type in shapes:
        for path, signature in _signatures(block_type):
            owner, before = first.setdefault(path, (block_type.name, signature))
            if before != signature:
                name = _own_name(block_type.name, path[-1])
                why = f"is {signature} here and {before} in {owner}: call it {name}, or give it the same type"
                yield Clash(owner, block_type.name, ".".join(path), why)


def _objects(shape: Shape, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ObjectOf]]:
    if isinstance(shape, ListOf):
        yield from _objects(shape.item, path)
    elif isinstance(shape, ObjectOf):
        yield path, shape
        for field in shape.fields:
            yield from _objects(field.shape, (*path, field.name))


def _signatures(block_type: ObjectOf) -> Iterator[tuple[tuple[str, ...], str]]:
    """Of every field below: its path, and the part of its type that must agree, such as [String]."""
    for place, owner in _objects(block_type):
        yield from (((*place, field.name), _signature(field.shape)) for field in owner.fields)


def _signature(shape: Shape) -> str:
    if isinstance(shape, ListOf):
        return f"[{_signature(shape.item)}]"
    return "an object" if isinstance(shape, ObjectOf) else shape


def _own_name(block_type: str, field: str) -> str:
    return block_type[0].lower() + block_type[1:] + pascal(field)
