"""The JSON Schemas of what comes in, and the block types that every space has."""

from functools import cache
from importlib import resources
from typing import Any

import orjson

Json = dict[str, Any]


@cache
def bundle_schema() -> Json:
    """The schema of a bundle, complete in itself: the schema of an event stands among its `$defs`."""
    schema = _read("bundle.schema.json")
    schema["$defs"]["event"] = event_schema()
    return schema


@cache
def event_schema() -> Json:
    return _read("event.schema.json")


@cache
def kind_schema(kind: str) -> Json:
    """The schema of one document of a bundle: `blockType`, `segment`, `block`, `page`, ..."""
    return {"$ref": f"#/$defs/{kind}", "$defs": bundle_schema()["$defs"]}


@cache
def builtin_block_types() -> tuple[Json, ...]:
    """As documents `{name, schema, template, description}`."""
    return (_read("RichText.json"),)


def _read(name: str) -> Json:
    text = resources.files("schemas").joinpath("json", name).read_bytes()
    document: Json = orjson.loads(text)
    return document
