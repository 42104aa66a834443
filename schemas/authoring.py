"""What editors send and see: the documents of a bundle, their drafts and what is published."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from schemas.connections import PageInfo
from schemas.outcomes import ContentProblem
from schemas.requests import BlockFilter
from schemas.vocabulary import Kind

strawberry.enum(Kind, name="ContentKind", description="What editors save.")


@strawberry.input
class BlockTypeInput:
    name: str
    schema: JSON = strawberry.field(description="JSON Schema, draft 2020-12.")
    template: str | None = strawberry.field(default=None, description="HTML in sandboxed Jinja2.")
    description: str | None = None


@strawberry.input
class SegmentInput:
    key: str
    name: str | None = None
    description: str | None = None
    when: JSON | None = None
    members: list[JSON] | None = strawberry.field(default=None, description="What `$inGroup` looks in.")


@strawberry.input(description="A merge patch over its block's data, and when it may be shown.")
class VariantInput:
    key: str
    when: JSON | None = None
    patch: JSON | None = None
    tags: JSON | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    locale: str | None = None


@strawberry.input
class BlockInput:
    key: str
    type: str
    data: JSON
    tags: JSON | None = None
    variants: list[VariantInput] | None = None
    boost: float | None = None
    published: datetime | None = None


@strawberry.input
class SlotInput:
    name: str
    strategy: str = strawberry.field(description="rules, interest or feed.")
    block: str | None = None
    where: BlockFilter | None = None
    limit: int | None = None
    weights: JSON | None = None
    diversity: float | None = None


@strawberry.input
class PageInput:
    slug: str
    title: str
    slots: list[SlotInput]


@strawberry.input
class ArmInput:
    variant: str
    weight: float


@strawberry.input
class MetricInput:
    event: str


@strawberry.input
class ExperimentInput:
    key: str
    block: str
    arms: list[ArmInput]
    hash_attribute: str | None = None
    seed: str | None = None
    coverage: float | None = None
    metric: MetricInput | None = None


@strawberry.input
class ContentRef:
    kind: Kind
    key: str


@strawberry.type(description="A document in the editors' hands.")
class ContentItem:
    kind: Kind
    key: str
    state: str = strawberry.field(description="draft, review, scheduled, published or archived.")
    version: int
    document: JSON
    published_revision: int | None
    updated_at: datetime | None
    publish_at: datetime | None


@strawberry.type
class ContentEdge:
    cursor: str
    node: ContentItem


@strawberry.type
class ContentConnection:
    edges: list[ContentEdge]
    page_info: PageInfo


@strawberry.type
class SavedContent:
    item: ContentItem
    warnings: list[ContentProblem]


@strawberry.type
class Publication:
    revision: int
    published: int
    removed: int
    warnings: list[ContentProblem]


@strawberry.type(description="One publication.")
class RevisionInfo:
    revision: int
    at: datetime
    by: str
    note: str
    published: int
    removed: int


@strawberry.type(description="A token as it may be shown: never the token itself.")
class TokenInfo:
    id: strawberry.ID
    name: str
    scopes: list[str]
    publishable: bool
    created_at: datetime
    expires_at: datetime | None


@strawberry.type
class NewToken:
    token: str = strawberry.field(description="Shown this once; only its hash is stored.")
    info: TokenInfo
