"""Where two ids turn out to be one person's."""

from gateway.services.space import Space


async def join(space: Space, visitor: str, user: str) -> None:
    """`visitor` is the person known as `user`. Both ids keep their own profile."""
