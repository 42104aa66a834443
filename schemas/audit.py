"""The audit log as those see it who may."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from schemas.connections import PageInfo
from schemas.vocabulary import AuditKind

strawberry.enum(AuditKind, name="AuditKind", description="What the audit log tells of.")


@strawberry.type(description="What was done, by whom, and whose data it was.")
class AuditEntry:
    id: strawberry.ID
    at: datetime
    kind: AuditKind
    space: str = strawberry.field(description="Empty where it was of no space.")
    actor: str = strawberry.field(description="The name of the token, or `command line`.")
    subject: str = strawberry.field(description="The visitor's pseudonym.")
    details: JSON


@strawberry.type
class AuditEdge:
    cursor: str
    node: AuditEntry


@strawberry.type
class AuditConnection:
    edges: list[AuditEdge]
    page_info: PageInfo
    doubtful: list[str] = strawberry.field(
        description="Parts of the log that were changed, and are not shown; see `blockloom audit verify`."
    )
