"""YAML as people mean it: the core schema of YAML 1.2, which is JSON with less punctuation.

So `NO` is Norway and not false, `22:00` is a time of day and not 1320, and a date stays the text that
it is. Read from PyYAML's events, not by its constructors: no tags, no objects, bounded aliases and
depth, and no key twice.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from yaml import events

MAX_DEPTH = 70  # a document may have 64
MAX_ALIASED = 100_000  # values that aliases stand for, altogether

_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_PLAIN: tuple[tuple[re.Pattern[str], str, Callable[[str], Any]], ...] = (
    (re.compile(r"(null|Null|NULL|~|)\Z"), "tag:yaml.org,2002:null", lambda text: None),
    (re.compile(r"(true|True|TRUE)\Z"), "tag:yaml.org,2002:bool", lambda text: True),
    (re.compile(r"(false|False|FALSE)\Z"), "tag:yaml.org,2002:bool", lambda text: False),
    (re.compile(r"[-+]?[0-9]{1,400}\Z"), "tag:yaml.org,2002:int", int),
    (_FLOAT, "tag:yaml.org,2002:float", float),
)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(ValueError):
    """Text that cannot be read; `line` counts from 1."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read_yaml(text: str) -> Any:
    """The one document in the text, None when there is none. Raises Unreadable with the line."""
    try:
        return _Reader(yaml.parse(text, Loader=_Loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(
            f"cannot be read as YAML: {error.problem}", mark.line + 1 if mark else None
        ) from error
    except yaml.YAMLError as error:
        raise Unreadable(f"cannot be read as YAML: {error}") from error


class _Reader:
    def __init__(self, stream: Iterator[Any]) -> None:
        self._stream = (event for event in stream if not isinstance(event, events.StreamStartEvent))
        self._anchors: dict[str, tuple[Any, int]] = {}  # a value, and how many values it holds
        self._aliased = 0
        self._read = 0

    def document(self) -> Any:
        if isinstance(next(self._stream), events.StreamEndEvent):
            return None
        value = self._value(next(self._stream), 0)
        next(self._stream)  # the end of the document
        after = next(self._stream)
        if not isinstance(after, events.StreamEndEvent):
            raise Unreadable("holds several documents; put them into files of their own", _line(after))
        return value

    def _value(self, event: Any, depth: int) -> Any:
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        if event.tag not in (None, "!"):
            raise Unreadable(f"tags are not supported, and {event.tag!r} is one; remove it", _line(event))
        if depth > MAX_DEPTH:
            raise Unreadable(f"is nested deeper than {MAX_DEPTH} levels", _line(event))
        before = self._read
        self._read += 1
        value = self._untagged(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._read - before)
        return value

    def _untagged(self, event: Any, depth: int) -> Any:
        if isinstance(event, events.ScalarEvent):
            return _plain(event.value) if event.implicit[0] else event.value
        if isinstance(event, events.SequenceStartEvent):
            return [self._value(item, depth + 1) for item in self._until(events.SequenceEndEvent)]
        return self._mapping(depth)

    def _until(self, end: type) -> Iterator[Any]:
        while not isinstance(event := next(self._stream), end):
            yield event

    def _mapping(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for event in self._until(events.MappingEndEvent):
            key = self._value(event, depth + 1)
            if not isinstance(key, str):
                raise Unreadable("a key must be text; put it in quotes", _line(event))
            if key in made:
                raise Unreadable(f"the key {key!r} appears twice in one object", _line(event))
            made[key] = self._value(next(self._stream), depth + 1)
        return made

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise Unreadable(f"nothing before it is called &{event.anchor}", _line(event))
        value, size = self._anchors[event.anchor]
        self._read += size
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise Unreadable("aliases stand for too much; write it out, or use NDJSON", _line(event))
        return value


def _plain(text: str) -> Any:
    for pattern, _, make in _PLAIN:
        if pattern.match(text):
            return make(text)
    return text


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quotes whatever either version of YAML would read as something else than text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _pattern, _tag, _ in _PLAIN:
    _Dumper.add_implicit_resolver(_tag, _pattern, [*"-+.0123456789~nNtTfF", ""])


def write_yaml(value: Any) -> bytes:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text.encode()
