"""A block type: a name, the JSON Schema (Draft 2020-12) of its data, perhaps an HTML template."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from content_blocks.blocks import Document
from content_blocks.json_schema import InvalidSchema, Place, Schema
from content_blocks.rendering import Template, TemplateProblem, compile_template
from content_blocks.schema_limits import structure_problems

MAX_SCHEMA_BYTES = 64 * 1024
_NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,63}\Z")


class InvalidBlockType(ValueError):
    """A block type that cannot be used; `problems` are (JSON Pointer into its document, sentence)."""

    def __init__(self, problems: list[Place]) -> None:
        super().__init__("; ".join(f"{place}: {message}" for place, message in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class BlockType:
    """Compiled: `problems` takes 2 to 5 microseconds for data that fits."""

    name: str
    schema: Mapping[str, Any]
    problems: Callable[[Document], list[Place]] = field(repr=False, compare=False)
    template: Template | None = None
    description: str = ""


def compile_block_type(document: Document, reserved: Collection[str] = ()) -> BlockType:
    """From `{name, schema, template?, description?}`; `reserved` are names that the API has for itself.

    Raises InvalidBlockType with all that is wrong.
    """
    found = [("/name", message) for message in _name_problems(document["name"], reserved)]
    schema, wrong = _compiled_schema(document["schema"])
    template, unclear = _compiled_template(document.get("template"))
    found += wrong + unclear
    if found or schema is None:
        raise InvalidBlockType(found)
    return BlockType(
        document["name"], schema.document, schema.problems, template, document.get("description") or ""
    )


def _name_problems(name: str, reserved: Collection[str]) -> list[str]:
    if not _NAME.match(name):
        return [f"{name!r} must be in PascalCase, letters and digits, at most 64, such as HeroBanner"]
    if name in reserved:
        return [f"{name!r} is a type of the API itself; call it {name}Block"]
    return []


def _compiled_schema(document: Document) -> tuple[Schema | None, list[Place]]:
    wrong = _shape_problems(document) or structure_problems(document)
    if not wrong:
        try:
            return Schema(document), []
        except InvalidSchema as error:
            wrong = error.problems
    return None, [("/schema" + place, message) for place, message in wrong]


def _shape_problems(schema: Document) -> list[Place]:
    if len(orjson.dumps(schema)) > MAX_SCHEMA_BYTES:
        return [("", f"is larger than {MAX_SCHEMA_BYTES // 1024} KB")]
    if schema.get("type") != "object":
        return [("/type", "must be 'object': a block's data is an object")]
    return []


def _compiled_template(text: str | None) -> tuple[Template | None, list[Place]]:
    if not text:
        return None, []
    try:
        return compile_template(text), []
    except TemplateProblem as problem:
        return None, [("/template", str(problem))]
