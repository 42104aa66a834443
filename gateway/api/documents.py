"""Trusted documents: the operations that a frontend's build has written down, by their ids.

Two shapes of manifest are read: `persisted-documents.json` of GraphQL Code Generator's client preset
(`{id: document}`), and that of Apollo's `generate-persisted-query-manifest`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError, OperationDefinitionNode, parse

from gateway.api.failures import told
from gateway.errors import BadInput, Problem, UntrustedDocument
from gateway.operations.prepared import Operations

SHA256 = "sha256:"  # what the id of a document may begin with
APOLLO = "apollo-persisted-query-manifest"
MOST_BYTES = 16 << 20
MOST_DOCUMENTS = 10_000
LONGEST_ID = 200
MAX_TOKENS = 20_000


@dataclass(frozen=True, slots=True)
class Document:
    text: str
    names: tuple[str | None, ...]  # by which a client may ask for its operations


Trusted = Mapping[str, Document]


class Documents:
    """Trusted documents by their ids, without a prefix; `only`: nothing else is admitted."""

    def __init__(self, trusted: Trusted, only: bool = False) -> None:
        self._trusted = trusted
        self._texts = frozenset(document.text for document in trusted.values())
        self._only = only

    def find(self, name: str) -> str | None:
        """The text of the document with this id."""
        document = self._trusted.get(name)
        return document.text if document else None

    def admit(self, text: str) -> GraphQLError | None:
        """Why this document may not be executed, over whatever protocol it came; None: it may."""
        if not self._only or text in self._texts:
            return None
        message = (
            "only trusted documents are executed here; add this one to the manifest, and deploy it first"
        )
        return told(UntrustedDocument(message))

    async def problems(self, operations: Operations) -> list[Problem]:
        """Those that do not fit this schema; the others are prepared for it thereby."""
        problems = []
        for id_, document in self._trusted.items():
            for name in document.names:
                prepared = await operations.prepare(document.text, name, pinned=True)
                if prepared.errors:
                    problems.append(Problem(id_, prepared.errors[0].message, "INVALID_DOCUMENT"))
                    break
        return problems


def read_documents(path: Path) -> Trusted:
    """Raises BadInput, with a problem for each document that is none."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path} is larger than {MOST_BYTES} bytes; trust fewer documents")
        found = orjson.loads(path.read_bytes())
    except OSError as error:
        raise BadInput(f"the trusted documents {path} cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the trusted documents {path} are not JSON: {error}") from error
    read = {id_: _read(id_, text) for id_, text in _entries(path, found)}
    problems = [one for one in read.values() if isinstance(one, Problem)]
    if problems:
        raise BadInput(f"{path} holds what cannot be trusted: {problems[0]}", problems)
    return {id_: one for id_, one in read.items() if isinstance(one, Document)}


def _entries(path: Path, found: Any) -> Iterator[tuple[str, Any]]:
    """Ids and what stands for them, of either shape."""
    if isinstance(found, dict) and found.get("format") == APOLLO:
        found = _by_id(found.get("operations"))
    if not isinstance(found, dict) or len(found) > MOST_DOCUMENTS:
        raise BadInput(
            f"{path} must be an object of at most {MOST_DOCUMENTS} documents by their ids, as graphql-codegen's "
            f"persisted-documents.json is, or a manifest of the format {APOLLO}"
        )
    for id_, text in found.items():
        yield id_.removeprefix(SHA256), text


def _by_id(operations: Any) -> dict[str, Any] | None:
    if not isinstance(operations, list):
        return None
    entries = [one if isinstance(one, dict) else {} for one in operations]
    return {str(entry.get("id", "")): entry.get("body") for entry in entries}


def _read(id_: str, text: Any) -> Document | Problem:
    if not 0 < len(id_) <= LONGEST_ID:
        return Problem(id_[:20], f"an id has 1 to {LONGEST_ID} characters", "INVALID_DOCUMENT")
    if not isinstance(text, str):
        return Problem(id_, "the document must be a text", "INVALID_DOCUMENT")
    try:
        definitions = parse(text, max_tokens=MAX_TOKENS).definitions
    except GraphQLError as error:
        return Problem(id_, error.message, "INVALID_DOCUMENT")
    operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
    if not operations:
        return Problem(id_, "the document holds no operation", "INVALID_DOCUMENT")
    names = {operation.name.value if operation.name else None for operation in operations}
    return Document(text, tuple(names | {None} if len(operations) == 1 else names))
