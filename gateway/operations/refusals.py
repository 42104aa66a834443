"""How a document beyond a limit is refused: by a code, with the limit and what was found."""

from typing import Any

from graphql import GraphQLError


def beyond(code: str, message: str, limit: int, actual: int, counted: bool = True) -> GraphQLError:
    """`counted`: whether `actual` is the whole number, or only where counting stopped."""
    extensions: dict[str, Any] = {"code": code, "limit": limit, "actual" if counted else "atLeast": actual}
    return GraphQLError(message, extensions=extensions)
