"""Where two ids turn out to be one person's."""

from gateway.core.events import Refusal
from gateway.core.terms import Terms
from gateway.errors import BadIdentity, ConsentRequired, IdentityLimit
from gateway.services.space import Space


async def join(space: Space, visitor: str, user: str, terms: Terms | None = None) -> Refusal | None:
    """`visitor` is the person known as `user`; both ids keep their own profile. Why not, if they cannot be joined."""
    try:
        await space.joining.join(space.identity(visitor), space.identity(user), terms)
    except (BadIdentity, ConsentRequired, IdentityLimit) as error:
        return Refusal(error.code, error.message)
    return None
