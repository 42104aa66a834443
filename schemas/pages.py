"""Pages as clients see them. They are made for each set of block types, since the content is typed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Union

import strawberry
from strawberry.scalars import JSON

from schemas.connections import PageInfo
from schemas.reasons import Assignment, CandidateTrace, Reason
from schemas.vocabulary import Basis

strawberry.enum(
    Basis,
    name="Basis",
    description="CONTEXTUAL: no consent, a bot, no visitor, or degraded.",
)


@strawberry.type
class _ChosenBlock:
    decision: strawberry.ID = strawberry.field(description="Names this choice, for events and for replay.")
    key: str
    type: str
    variant: str
    position: int
    data: JSON = strawberry.field(description="The variant's data as it was published.")
    html: str | None = strawberry.field(description="The data in its block type's template.")
    tags: list[str]
    score: float | None
    reason: Reason
    assignment: Assignment | None

    def but(self, **fields: Any) -> Any:
        """The same block with these fields in place of its own; much cheaper than making it anew."""
        made = object.__new__(type(self))
        made.__dict__ = {**self.__dict__, **fields}
        return made


@dataclass(frozen=True, slots=True)
class PageTypes:
    """The types that depend on the block types of a space."""

    chosen_block: Any
    slot: Any
    page: Any
    decision: Any
    recommendation_edge: Any
    recommendation_connection: Any


def page_types(contents: tuple[type, ...]) -> PageTypes:
    """`contents`: one GraphQL type per block type, at least one."""
    block_content = Annotated[
        Union[contents],  # type: ignore[valid-type]  # noqa: UP007  # made at run time
        strawberry.union("BlockContent", description="The data, typed by its block type."),
    ]

    @strawberry.type(description="A variant in its place.")
    class ChosenBlock(_ChosenBlock):
        content: block_content

    @strawberry.type(description="A place on a page.")
    class Slot:
        name: str
        blocks: list[ChosenBlock]

    @strawberry.type(description="A page, chosen for one visitor, here and now.")
    class Page:
        slug: str
        title: str
        locale: str
        basis: Basis
        revision: str = strawberry.field(
            description="The published content, and the signals, it was chosen from."
        )
        cache_key: str = strawberry.field(description="Equal for everybody who is shown the same variants.")
        slots: list[Slot]

        @strawberry.field(description="One slot by its name.")
        def slot(self, name: str) -> Slot | None:
            return next((slot for slot in self.slots if slot.name == name), None)

    @strawberry.type(description="A past choice, made again from what was recorded.")
    class Decision:
        id: strawberry.ID
        at: datetime
        page: str
        slot: str
        visitor: strawberry.ID | None
        basis: Basis
        revision: str
        block: ChosenBlock
        same: bool = strawberry.field(
            description="Whether choosing again gives what was recorded; false would be a fault of ours."
        )
        candidates: strawberry.Private[list[CandidateTrace]]
        missing: strawberry.Private[Any]

        @strawberry.field(
            description="Why `variant` was not shown: a variant's key, or `block:variant`, or a block's key."
        )
        def why_not(self, variant: str) -> CandidateTrace:
            found = next((trace for trace in self.candidates if variant in _names(trace)), None)
            return found or self.missing(variant)

    @strawberry.type
    class RecommendationEdge:
        cursor: str
        node: ChosenBlock

    @strawberry.type
    class RecommendationConnection:
        edges: list[RecommendationEdge]
        page_info: PageInfo

    return PageTypes(ChosenBlock, Slot, Page, Decision, RecommendationEdge, RecommendationConnection)


def _names(trace: CandidateTrace) -> tuple[str, ...]:
    return trace.variant, f"{trace.block}:{trace.variant}", trace.block
