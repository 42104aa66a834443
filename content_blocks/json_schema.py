"""JSON Schema (Draft 2020-12), compiled once: every problem with its place, in a sentence.

A schema may come from anybody who edits content. It fetches nothing (a `$ref` stays inside the
schema), its regular expressions run in linear time, and `schema_limits` bounds what a check costs.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, NoReturn

import jsonschema_rs
import orjson

Place = tuple[str, str]  # a JSON Pointer, and a sentence about what is there

MAX_PROBLEMS = 100  # of one document
_REGEX = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)


class InvalidSchema(ValueError):
    """A schema that cannot be used; `problems` says where and why."""

    def __init__(self, problems: list[Place]) -> None:
        super().__init__("; ".join(f"{place or '/'}: {message}" for place, message in problems))
        self.problems = problems


class Schema:
    """A compiled schema. `valid` costs 2 to 5 microseconds for a usual block."""

    __slots__ = ("_validator", "document", "valid")

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Raises InvalidSchema when the document is no schema, or refers to anything outside itself."""
        self.document = document
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                dict(document), retriever=_refuse, pattern_options=_REGEX, validate_formats=True
            )
        except jsonschema_rs.ValidationError as error:
            raise InvalidSchema([(pointer(error.instance_path), _sentence(error, {}))]) from error
        except (ValueError, TypeError) as error:
            raise InvalidSchema([("", f"is not a JSON Schema: {error}")]) from error
        self.valid: Callable[[Any], bool] = self._validator.is_valid

    def problems(self, value: Any) -> list[Place]:
        """What is wrong with a JSON value, at most 100 problems; empty when it fits."""
        if self.valid(value):
            return []
        errors = islice(self._validator.iter_errors(value), MAX_PROBLEMS)
        return [(pointer(error.instance_path), _sentence(error, self.document)) for error in errors]


def pointer(path: "list[str | int] | tuple[str | int, ...]") -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def at_pointer(document: Any, path: str) -> Any:
    """The value at a JSON Pointer; None when there is none."""
    for step in path.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, Mapping):
            document = document.get(key)
        elif isinstance(document, list) and key.isascii() and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


def _refuse(uri: str) -> NoReturn:
    raise LookupError(uri)


def _sentence(error: jsonschema_rs.ValidationError, schema: Mapping[str, Any]) -> str:
    if error.kind.name in {"additionalProperties", "unevaluatedProperties"}:
        return _unknown(error, schema)
    say = _SENTENCES.get(error.kind.name)
    return say(error.kind.as_dict()) if say else error.message


def _unknown(error: jsonschema_rs.ValidationError, schema: Mapping[str, Any]) -> str:
    beside = at_pointer(schema, pointer(error.schema_path[:-1]))
    known = list(beside.get("properties", ())) if isinstance(beside, Mapping) else []
    return "; ".join(_unknown_name(name, known) for name in error.kind.as_dict()["unexpected"][:10])


def _unknown_name(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"has an unknown field {name!r}; did you mean {close[0]!r}?"
    listed = f"; known are {', '.join(known[:20])}" if known else ""
    return f"has an unknown field {name!r}{listed}"


def _listed(options: list[Any]) -> str:
    return ", ".join(orjson.dumps(option).decode() for option in options[:20])


def _format(details: Mapping[str, Any]) -> str:
    return _FORMATS.get(details["format"], f"must be in the format {details['format']!r}")


_NOUNS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_FORMATS = {
    "date-time": "must be a time with its offset, such as 2026-12-01T09:00:00Z",
    "date": "must be a date, such as 2026-12-01",
    "uri": "must be a whole URL, such as https://example.com/",
    "email": "must be an e-mail address",
    "regex": "must be a regular expression without look-around and back-references, and not a huge one",
}
_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "$ref": lambda d: "refers to something outside this schema; use #/$defs/...",
    "type": lambda d: "must be " + " or ".join(_NOUNS.get(name, name) for name in d["types"]),
    "required": lambda d: f"lacks the field {d['property']!r}",
    "enum": lambda d: f"must be one of {_listed(d['options'])}",
    "const": lambda d: f"must be {_listed([d['expected_value']])}",
    "minimum": lambda d: f"must be at least {d['limit']}",
    "maximum": lambda d: f"must be at most {d['limit']}",
    "exclusiveMinimum": lambda d: f"must be more than {d['limit']}",
    "exclusiveMaximum": lambda d: f"must be less than {d['limit']}",
    "multipleOf": lambda d: f"must be a multiple of {d['multiple_of']}",
    "minLength": lambda d: f"must have at least {d['limit']} characters",
    "maxLength": lambda d: f"must have at most {d['limit']} characters",
    "minItems": lambda d: f"must have at least {d['limit']} entries",
    "maxItems": lambda d: f"must have at most {d['limit']} entries",
    "minProperties": lambda d: f"must have at least {d['limit']} fields",
    "maxProperties": lambda d: f"must have at most {d['limit']} fields",
    "uniqueItems": lambda d: "must not repeat an entry",
    "pattern": lambda d: f"must match {d['pattern']}",
    "format": _format,
    "anyOf": lambda d: "fits none of the forms allowed here",
    "oneOf": lambda d: "must fit exactly one of the forms allowed here",
    "not": lambda d: "has a form that is refused here",
    "contains": lambda d: "lacks an entry that is required here",
    "propertyNames": lambda d: f"has a field name that is refused: {d['error'].message}",
    "falseSchema": lambda d: "must not be given",
}
