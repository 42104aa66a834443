"""The GraphQL schema of a space: the contract, with content typed by the space's block types."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry

from gateway.api import auditing, authoring  # noqa: F401  # add their fields to queries and mutations
from gateway.api.limits import SIZES
from gateway.api.mutations import mutations
from gateway.api.queries import queries
from gateway.api.subscriptions import subscriptions
from gateway.core.catalogue import Catalogue
from gateway.operations.bounds import Bounds
from gateway.operations.limits import Limits
from gateway.operations.prepared import Admit, Operations, everything
from schemas.pages import PageTypes, page_types
from schemas.typed_blocks import content_types

KEPT_OPERATIONS = 256  # each takes some 50 KB
DEFAULTS = Limits()
KEPT = 8  # schemas of earlier sets of block types, for requests under way and spaces alike


@dataclass(frozen=True, eq=False)
class SpaceSchema:
    schema: strawberry.Schema
    operations: Operations
    types: PageTypes
    contents: Mapping[str, type]


def build_schema(
    block_types: Mapping[str, Mapping[str, Any]], limits: Limits = DEFAULTS, admit: Admit = everything
) -> SpaceSchema:
    """`block_types`: JSON Schemas by name. Takes a tenth of a second, so not on the event loop."""
    contents = content_types(block_types)
    types = page_types(tuple(contents.values()))
    schema = strawberry.Schema(
        query=queries.build(types), mutation=mutations.build(types), subscription=subscriptions.build(types)
    )
    bounds = Bounds(schema._schema, limits, SIZES)
    operations = Operations(schema, bounds, KEPT_OPERATIONS, admit)
    return SpaceSchema(schema, operations, types, contents)


class Schemas:
    """Schemas by their block types: spaces and editions with the same types share one."""

    def __init__(self, limits: Limits = DEFAULTS, admit: Admit = everything) -> None:
        self._limits = limits
        self._admit = admit
        self._built: OrderedDict[str, SpaceSchema] = OrderedDict()

    def of(self, catalogue: Catalogue) -> SpaceSchema:
        signature = catalogue.types_signature
        if signature not in self._built:
            self._built[signature] = build_schema(
                {name: t.schema for name, t in catalogue.types.items()}, self._limits, self._admit
            )
        self._built.move_to_end(signature)
        while len(self._built) > KEPT:
            self._built.popitem(last=False)
        return self._built[signature]
