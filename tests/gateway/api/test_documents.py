"""Manifests of trusted documents, as the tools of others write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.api.documents import MOST_BYTES, Document, Documents, read_documents
from gateway.errors import BadInput

HOME = 'query Home { page(slug: "home") { slug } }'
LIVE = 'subscription Live { page(slug: "home", visitor: "v") { slug } }'


def written(folder: Path, content: Any) -> Path:
    path = folder / "manifest.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_code_generators_manifest_is_read(tmp_path: Path) -> None:
    read = read_documents(written(tmp_path, {"2a1b": HOME, "sha256:3c": LIVE}))
    assert {id_: document.text for id_, document in read.items()} == {"2a1b": HOME, "3c": LIVE}


def test_apollos_manifest_is_read(tmp_path: Path) -> None:
    operations = [
        {"id": "2a1b", "name": "Home", "type": "query", "body": HOME},
        {"id": "3c", "name": "Live", "type": "subscription", "body": LIVE},
    ]
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    read = read_documents(written(tmp_path, manifest))
    assert {id_: document.text for id_, document in read.items()} == {"2a1b": HOME, "3c": LIVE}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (HOME, {"Home", None}),
        ("{ __typename }", {None}),
        ("query A { __typename } query B { __typename }", {"A", "B"}),
    ],
)
def test_operations_are_asked_for_by_name_where_there_are_several(
    tmp_path: Path, text: str, names: set[str | None]
) -> None:
    assert set(read_documents(written(tmp_path, {"a": text}))["a"].names) == names


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "are not JSON"),
        (b"{", "are not JSON"),
        (b"\xff", "are not JSON"),
        ([], "must be an object"),
        ("x", "must be an object"),
        ({str(n): HOME for n in range(10_001)}, "at most 10000 documents"),
        ({"format": "apollo-persisted-query-manifest"}, "must be an object"),
        ({"format": "apollo-persisted-query-manifest", "operations": {}}, "must be an object"),
        ({"format": "apollo-persisted-query-manifest", "operations": [5]}, "an id has 1 to 200"),
        (
            {"format": "apollo-persisted-query-manifest", "operations": [{"id": "a"}]},
            "a: the document must be",
        ),
        ({"a": 5}, "a: the document must be a text"),
        ({"a": None}, "a: the document must be a text"),
        ({"": HOME}, "an id has 1 to 200 characters"),
        ({"x" * 201: HOME}, "an id has 1 to 200 characters"),
        ({"a": "{"}, "a: Syntax Error"),
        ({"a": ""}, "a: Syntax Error"),
        ({"a": "fragment F on Page { slug }"}, "a: the document holds no operation"),
        ({"a": "{" + "a " * 30_000 + "}"}, "a: Syntax Error"),
        (b" " * (MOST_BYTES + 1), "is larger than"),
    ],
)
def test_what_is_no_manifest_is_refused_in_a_sentence(tmp_path: Path, content: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        read_documents(written(tmp_path, content))


def test_each_document_that_is_none_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        read_documents(written(tmp_path, {"good": HOME, "bad": "{", "worse": 5}))
    assert [problem.path for problem in refused.value.problems] == ["bad", "worse"]


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file or directory"):
        read_documents(tmp_path / "none.json")


def test_what_is_trusted_is_admitted_and_the_rest_where_all_is() -> None:
    trusted = {"a": Document(HOME, (None,))}
    assert Documents(trusted).admit(LIVE) is None
    only = Documents(trusted, only=True)
    assert only.admit(HOME) is None
    refused = only.admit(LIVE)
    assert refused is not None
    assert refused.extensions == {"code": "UNTRUSTED_DOCUMENT"}
