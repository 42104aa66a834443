"""Why a variant was chosen, and why the others were not."""

import strawberry
from strawberry.scalars import JSON

from schemas.visitors import Interest
from schemas.vocabulary import Strategy

strawberry.enum(Strategy, name="Strategy", description="How a variant was chosen.")


@strawberry.type(description="The clause of a condition that did not hold.")
class FailedClause:
    path: str
    operator: str
    expected: JSON | None
    actual: JSON | None


@strawberry.type(description="What became of one candidate.")
class CandidateTrace:
    block: str
    variant: str
    chosen: bool
    eligible: bool
    failed: FailedClause | None
    score: float | None
    parts: JSON = strawberry.field(
        description="The parts of the score, by name; empty where none was needed."
    )
    summary: str = strawberry.field(description="Why it won or lost, in a sentence.")


@strawberry.type(description="Why this variant was chosen.")
class Reason:
    strategy: Strategy
    summary: str
    matched: list[str] = strawberry.field(description="The clauses of its rule that hold.")
    similarity: float | None
    because: list[Interest] = strawberry.field(description="The interests that made the similarity.")
    candidates: list[CandidateTrace]


@strawberry.type(description="The experiment that decided, and the arm that this visitor is in.")
class Assignment:
    experiment: str
    arm: str
