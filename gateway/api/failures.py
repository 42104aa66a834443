"""What a client is told of a failure, over whichever protocol: our own refusals whole, our faults by number."""

import logging
import secrets

from graphql import GraphQLError

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
