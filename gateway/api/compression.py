"""Compressed answers: gzip as Intel's ISA-L makes it, which takes a third of zlib's time for the same size."""

import asyncio

from isal import isal_zlib

from gateway.api.negotiation import remembered, weights

LEAST = 1024  # bytes: less fits into one packet as it is
ASIDE = 524_288  # bytes from which the event loop would notice
GZIP = 31  # zlib's word for the largest window within gzip's header


@remembered
def takes_gzip(accepted: str) -> bool:
    """Whether this `Accept-Encoding` likes gzip no less than the answer as it is."""
    given = weights(accepted)
    weight = given.get("gzip", given.get("*", 0.0))
    return weight > 0 and weight >= given.get("identity", 0.0)


async def compressed(body: bytes) -> bytes:
    if len(body) < ASIDE:
        return isal_zlib.compress(body, 1, wbits=GZIP)
    return await asyncio.to_thread(isal_zlib.compress, body, 1, wbits=GZIP)
