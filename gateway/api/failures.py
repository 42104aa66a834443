"""What a client is told of a failure, over whichever protocol: our own refusals whole, our faults by number."""

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from gateway.errors import BlockloomError

log = logging.getLogger(__name__)


def told(error: Exception) -> GraphQLError:
    """The GraphQL error for what a resolver raised. What is our fault is logged, and not told."""
    if isinstance(error, GraphQLError):
        return error
    if isinstance(error, BlockloomError):
        return GraphQLError(error.message, extensions=dict(error.extensions()))
    number = secrets.token_hex(4)
    log.error("internal error %s", number, exc_info=error)
    message = f"something went wrong on our side; the log has it as {number}"
    return GraphQLError(message, extensions={"code": "INTERNAL", "number": number})


def worded(error: GraphQLError) -> Mapping[str, Any]:
    """A GraphQL error as it is sent: each has a stable code."""
    if error.extensions:
        return error.formatted
    cause = error.original_error
    if cause is not None and not isinstance(
        cause, GraphQLError
    ):  # below a root field, where nothing should fail
        return {**error.formatted, **told(cause).formatted}
    return {**error.formatted, "extensions": {"code": _code(error)}}


def _code(error: GraphQLError) -> str:
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    return "GRAPHQL_VALIDATION_FAILED" if error.path is None else "BAD_INPUT"


def refused(code: str, message: str, extensions: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The body for what was refused before there was an operation."""
    return {"errors": [{"message": message, "extensions": {"code": code, **(extensions or {})}}]}
