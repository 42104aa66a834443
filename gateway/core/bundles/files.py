"""Bundles as JSON, YAML, or NDJSON with one `{"kind": ..., ...}` a line."""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any, Literal, TypeAlias

import orjson

from content_blocks.json_schema import pointer
from gateway.core.bundles.documents import KINDS, PLURALS, Bundle, Document
from gateway.core.bundles.problems import capped
from gateway.core.bundles.yaml_text import Unreadable, read_yaml, write_yaml
from gateway.errors import Problem

Format: TypeAlias = Literal["json", "yaml", "ndjson"]
Found: TypeAlias = tuple[str, Document, str]  # kind, document, place

MAX_BYTES = 512 * 1024 * 1024
SUFFIXES: Mapping[str, Format] = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}


def read_bundle(text: bytes, name: str, format: str | None = None) -> tuple[Bundle, list[Problem]]:  # noqa: A002
    """What can be read, and what cannot; with problems, load nothing of it.

    `name` is the file's, for the places; the format is `json`, `yaml` or `ndjson`, by the name's suffix
    or by a look at the text unless it is given.
    """
    found: dict[str, list[tuple[Document, str]]] = {kind: [] for kind in KINDS}
    problems: list[Problem] = []
    for item in _items(text, name, format):
        if isinstance(item, Problem):
            problems.append(item)
        else:
            kind, document, place = item
            found[kind].append((document, place))
    bundle = Bundle(
        {kind: [document for document, _ in entries] for kind, entries in found.items()},
        {kind: [place for _, place in entries] for kind, entries in found.items()},
    )
    return bundle, capped(problems)


def write_bundle(bundle: Bundle, format: str) -> bytes:  # noqa: A002
    """Loss-free: what `read_bundle` makes of it is equal to the bundle."""
    if format == "ndjson":
        return b"".join(
            orjson.dumps({"kind": kind, **document}) + b"\n"
            for kind in KINDS
            for document in bundle.documents[kind]
        )
    whole = {KINDS[kind].plural: list(bundle.documents[kind]) for kind in KINDS if bundle.documents[kind]}
    return write_yaml(whole) if format == "yaml" else orjson.dumps(whole, option=orjson.OPT_INDENT_2) + b"\n"


# --- which format ---


def format_of(name: str) -> Format | None:
    """What a file's suffix says."""
    return SUFFIXES.get(PurePath(name).suffix.lower())


def _items(text: bytes, name: str, format: str | None) -> Iterator[Found | Problem]:  # noqa: A002
    if len(text) > MAX_BYTES:
        yield Problem(name, f"is larger than {MAX_BYTES >> 20} MB; part it into several files", "TOO_LARGE")
        return
    text = text.removeprefix(b"\xef\xbb\xbf")
    format = format or format_of(name) or _sniffed(text)  # noqa: A001
    if format not in SUFFIXES.values():
        yield Problem(name, f"no format {format!r}; there are json, yaml and ndjson")
    elif format == "ndjson":
        yield from _lines(text, name)
    else:
        yield from _whole(text, name, format)


def _sniffed(text: bytes) -> Format:
    start = text.lstrip()
    if not start.startswith((b"{", b"[")):
        return "yaml"
    try:
        first = orjson.loads(start.partition(b"\n")[0])
    except orjson.JSONDecodeError:
        return "json"
    return "ndjson" if isinstance(first, dict) and "kind" in first else "json"


def _lines(text: bytes, name: str) -> Iterator[Found | Problem]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            document, repeated = _parsed(line)
        except Unreadable as error:
            yield Problem(_at_line(name, number), error.message)
            continue
        place = f"{_at_line(name, number)}#"
        if repeated:
            yield from _twice(place, repeated)
        else:
            yield _single(document, place)


def _whole(text: bytes, name: str, format: str) -> Iterator[Found | Problem]:  # noqa: A002
    try:
        whole, repeated = _parsed(text) if format == "json" else (read_yaml(_decoded(text)), [])
    except Unreadable as error:
        yield Problem(_at_line(name, error.line), error.message)
        return
    place = f"{name}#" if name else ""
    if repeated:
        yield from _twice(place, repeated)
    elif isinstance(whole, dict) and "kind" in whole:
        yield _single(whole, place)
    elif isinstance(whole, dict):
        yield from _parts(whole, place)
    else:
        yield Problem(name, f"holds no bundle: write an object with the lists {', '.join(PLURALS)}")


# --- which documents ---


def _parts(whole: Document, place: str) -> Iterator[Found | Problem]:
    for plural, documents in whole.items():
        here = f"{place}{pointer([plural])}"
        if plural not in PLURALS:
            yield Problem(here, f"no part of a bundle has this name{_nearest(plural, PLURALS)}")
        elif not isinstance(documents, list):
            yield Problem(here, "must be a list")
        else:
            yield from (_part(PLURALS[plural], each, f"{here}/{i}") for i, each in enumerate(documents))


def _part(kind: str, document: Any, place: str) -> Found | Problem:
    return (kind, document, place) if isinstance(document, dict) else Problem(place, "must be an object")


def _single(document: Any, place: str) -> Found | Problem:
    if not isinstance(document, dict):
        return Problem(place, 'must be an object: {"kind": "block", ...}')
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return Problem(f"{place}/kind", f"says what the document is{_nearest(str(kind), KINDS)}")
    return kind, {key: value for key, value in document.items() if key != "kind"}, place


def _nearest(word: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


def _at_line(name: str, line: int | None) -> str:
    return ":".join(part for part in (name, str(line or "")) if part)


# --- JSON, strictly ---


def _parsed(text: bytes) -> tuple[Any, list[str]]:
    """The value, and the places of keys that appear twice in one object.

    orjson is the strict one (UTF-8, surrogates, NaN, depth), the standard library sees repeated keys.
    """
    string = _decoded(text)
    seen: list[tuple[dict[str, Any], str]] = []

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            keys = [key for key, _ in pairs]
            seen.append((result, next(key for key in keys if keys.count(key) > 1)))
        return result

    try:
        orjson.loads(text)
        value = json.loads(string, object_pairs_hook=made)
    except json.JSONDecodeError as error:  # orjson's is one of these
        raise Unreadable(
            f"cannot be read as JSON: {error.msg}, column {error.colno}", error.lineno
        ) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"cannot be read as JSON: {error}") from error
    return value, [_place_of(value, twice) + pointer([key]) for twice, key in seen[:20]]


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise Unreadable("is not UTF-8; save it as UTF-8", line) from error


def _twice(place: str, repeated: list[str]) -> Iterator[Problem]:
    return (Problem(place + path, "appears twice in one object; keep one of them") for path in repeated)


def _place_of(value: Any, wanted: dict[str, Any]) -> str:
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, here = waiting.pop()
        if here is wanted:
            return path
        entries = (
            here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
        )
        waiting += [(path + pointer([key]), inner) for key, inner in entries]
    return ""
