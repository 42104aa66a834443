"""Requests of which nothing is taken, by the status that they are answered with."""

from collections.abc import Mapping

from gateway.errors import (
    BlockloomError,
    Forbidden,
    NotFound,
    Overloaded,
    RateLimited,
    StoreUnavailable,
    TooLarge,
    Unauthenticated,
)

STATUS: Mapping[type[BlockloomError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    TooLarge: 413,
    RateLimited: 429,
    StoreUnavailable: 503,
    Overloaded: 503,
}


class Refused(Exception):
    """`status` is HTTP's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Gone(Exception):
    """The client left before it had said everything."""


def refused(error: BlockloomError) -> Refused:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    return Refused(status, error.code, error.message)
