"""What came of an operation."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import GraphQLError


@dataclass(frozen=True, slots=True)
class Result:
    """`data` is JSON, as it is sent (`null` included); None where nothing was executed, and `errors` say why."""

    data: bytes | None
    errors: Sequence[GraphQLError] = ()

    @property
    def ran(self) -> bool:
        return self.data is not None
