"""Who may do what: a caller's space and scopes."""

import hashlib
import secrets
from dataclasses import dataclass

from gateway.errors import Forbidden
from schemas.vocabulary import Scope

PREFIXES = {False: "bls_", True: "blp_"}  # secret and publishable tokens are told apart at a glance
PUBLISHABLE = frozenset({Scope.DELIVERY, Scope.EVENTS})  # all that a token in a browser may carry


@dataclass(frozen=True, slots=True)
class Caller:
    """A token's rights; `name` says in records who did something."""

    space: str
    scopes: frozenset[Scope]
    name: str
    publishable: bool = False

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        if not self.may(scope):
            raise Forbidden(
                f"this needs a token with the scope {scope}; create one with `blockloom tokens create`"
            )


def new_token(publishable: bool) -> str:
    return PREFIXES[publishable] + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """What is stored of a token. It has 256 random bits, so a plain hash cannot be searched backwards."""
    return hashlib.sha256(token.encode()).hexdigest()
