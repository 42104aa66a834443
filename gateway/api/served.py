"""The schemas of spaces, ready before they are needed, and the documents that are kept for each."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakKeyDictionary

from gateway.api.documents import Documents
from gateway.api.exchange import Wanted
from gateway.api.failures import told
from gateway.api.metrics import CountsByName
from gateway.api.persisted import Automatic, is_hash
from gateway.api.schema import Schemas, SpaceSchema
from gateway.core.editions import Edition
from gateway.errors import BadInput, Problem, UnknownDocument
from gateway.operations.limits import Limits
from gateway.operations.preparing import Prepared
from gateway.services.space import Space

log = logging.getLogger(__name__)

UNKNOWN = "no document of that id is kept here; send its text together with its hash"


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Of one schema."""

    automatic: Automatic = field(default_factory=Automatic)


class Served:
    def __init__(self, documents: Documents, limits: Limits) -> None:
        self.documents = documents
        self._schemas = Schemas(limits, documents.admit)
        self._kept: WeakKeyDictionary[SpaceSchema, Kept] = WeakKeyDictionary()
        self._followed: set[str] = set()
        self._following = asyncio.Lock()

    async def follow(self, space: Space) -> None:
        """From now on this space's schema is ready before an edition that needs it is served."""
        if space.name not in self._followed:
            async with self._following:
                if space.name not in self._followed:
                    await space.shelf.before(partial(self._ready, space.name))
                    self._followed.add(space.name)

    def schema(self, edition: Edition) -> SpaceSchema:
        return self._schemas.of(edition.catalogue)

    def kept(self, schema: SpaceSchema) -> Kept:
        if schema not in self._kept:
            self._kept[schema] = Kept()
        return self._kept[schema]

    def counts(self) -> Iterator[CountsByName]:
        """How the operations of all schemas in use ran."""
        return (schema.operations.counts for schema in list(self._kept))

    async def problems(self, space: Space) -> Sequence[Problem]:
        """Trusted documents that this space cannot answer."""
        return await self.documents.problems(self.schema(space.shelf.edition).operations)

    async def prepared(self, schema: SpaceSchema, wanted: Wanted) -> tuple[str, Prepared]:
        """The document that is asked for, in words and ready to run.

        Raises BadInput for a hash that is not its text's, GraphQLError for what is not known or not trusted.
        """
        text = wanted.query
        if wanted.document is not None:
            text = self._text(schema, wanted, wanted.document)
        problem = self.documents.admit(text)  # before a stream begins, which would answer otherwise
        if problem is not None:
            raise problem
        operations = schema.operations
        prepared = operations.known(text, wanted.name) or await operations.prepare(text, wanted.name)
        if wanted.automatic and wanted.document and not prepared.errors:
            self.kept(schema).automatic.keep(wanted.document, text)
        return text, prepared

    def _text(self, schema: SpaceSchema, wanted: Wanted, name: str) -> str:
        found = self.documents.find(name) or self.kept(schema).automatic.find(name)
        if found is None and not wanted.query:
            raise told(UnknownDocument(UNKNOWN))
        if found is None or (wanted.query and wanted.query != found):
            if not is_hash(name, wanted.query):
                raise BadInput("sha256Hash must be the SHA-256 of the query's UTF-8, in digits of lower case")
            return wanted.query
        return found

    async def _ready(self, space: str, edition: Edition) -> None:
        schema = await asyncio.to_thread(self.schema, edition)
        if schema in self._kept:
            return
        self.kept(schema)
        for problem in await self.documents.problems(schema.operations):
            log.warning("the space %s cannot answer a trusted document: %s", space, problem)
