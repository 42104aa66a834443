"""What mutations on visitors answer."""

import strawberry

from schemas.reasons import FailedClause
from schemas.visitors import Visitor


@strawberry.type(description="An event that was not taken; nothing of it is kept.")
class RejectedEvent:
    index: int = strawberry.field(description="Its place in what was sent, from 0.")
    id: strawberry.ID | None
    code: str
    message: str


@strawberry.type
class TrackResult:
    accepted: int
    duplicates: int
    rejected: list[RejectedEvent]
    visitors: list[Visitor] = strawberry.field(description="Each visitor once, in the order sent.")


@strawberry.type(description="What an erasure removed.")
class ForgetResult:
    visitor: strawberry.ID
    profiles: int
    events: int
    vectors: int = strawberry.field(description="Of interests.")
    decisions: int
    receipt: str = strawberry.field(
        description="Says the same, signed: a JWS, for the keys at `/.well-known/jwks.json`."
    )


@strawberry.type(description="A condition tried on facts.")
class ConditionTrial:
    matches: bool
    failed: FailedClause | None
    sentence: str
    problems: list["ContentProblem"]


@strawberry.type(description="One thing that is wrong, and where.")
class ContentProblem:
    path: str
    message: str
    code: str
