"""Everything that Blockloom refuses, and how it says so.

BlockloomError            code, a sentence that names the mend, perhaps problems with their places
├── BadInput              BAD_INPUT             what was sent cannot be right
│   ├── BadIdentity       BAD_IDENTITY          ... an id that is nobody's, like "undefined"
│   ├── IdentityLimit     IDENTITY_LIMIT        ... a person with too many devices
│   ├── TooLarge          TOO_LARGE             ... because it is beyond a limit
│   ├── InvalidContent    INVALID_CONTENT       ... content that breaks its schema or its references
│   ├── UnknownDocument   PERSISTED_QUERY_NOT_FOUND    ... the id of no document; send its text as well
│   └── UntrustedDocument UNTRUSTED_DOCUMENT    ... only trusted documents are executed, and this is none
├── Unauthenticated       UNAUTHENTICATED       no token, or one that is not known
├── Forbidden             FORBIDDEN             the token lacks a scope, or belongs to another space
│   └── CrossSite         CROSS_SITE            ... a browser says that another site's page asks
├── ConsentRequired       CONSENT_REQUIRED      the visitor has not agreed to be remembered
├── NotFound              NOT_FOUND
├── Conflict              CONFLICT              somebody else was faster; read again and repeat
├── StoreUnavailable      STORE_UNAVAILABLE     retryable: nothing was changed, or it may be repeated
├── Overloaded            OVERLOADED            retryable
├── RateLimited           RATE_LIMITED          retryable, in so many seconds: a token or an address asks too often
└── EngineError           ENGINE                the embedded engine cannot start or be used
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: a JSON Pointer, or `file:line`."""

    path: str
    message: str
    code: str = "INVALID"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class BlockloomError(Exception):
    code: ClassVar[str] = "INTERNAL"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)

    def extensions(self) -> Mapping[str, Any]:
        """What a GraphQL error carries under `extensions`."""
        found: dict[str, Any] = {"code": self.code}
        if self.retryable:
            found["retryable"] = True
        if self.problems:
            found["problems"] = [
                {"path": p.path, "message": p.message, "code": p.code} for p in self.problems
            ]
        return found


class BadInput(BlockloomError):
    code = "BAD_INPUT"


class BadIdentity(BadInput):
    code = "BAD_IDENTITY"


class IdentityLimit(BadInput):
    code = "IDENTITY_LIMIT"


class TooLarge(BadInput):
    code = "TOO_LARGE"


class InvalidContent(BadInput):
    code = "INVALID_CONTENT"


class UnknownDocument(BadInput):
    code = "PERSISTED_QUERY_NOT_FOUND"


class UntrustedDocument(BadInput):
    code = "UNTRUSTED_DOCUMENT"


class Unauthenticated(BlockloomError):
    code = "UNAUTHENTICATED"


class Forbidden(BlockloomError):
    code = "FORBIDDEN"


class CrossSite(Forbidden):
    code = "CROSS_SITE"


class ConsentRequired(BlockloomError):
    code = "CONSENT_REQUIRED"


class NotFound(BlockloomError):
    code = "NOT_FOUND"


class Conflict(BlockloomError):
    code = "CONFLICT"


class StoreUnavailable(BlockloomError):
    code = "STORE_UNAVAILABLE"
    retryable = True


class Overloaded(BlockloomError):
    code = "OVERLOADED"
    retryable = True


class RateLimited(BlockloomError):
    code = "RATE_LIMITED"
    retryable = True

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.retry_after = max(1, ceil(seconds))

    def extensions(self) -> Mapping[str, Any]:
        return {**super().extensions(), "retryAfter": self.retry_after}


class EngineError(BlockloomError):
    code = "ENGINE"
