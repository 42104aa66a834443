"""Which address the request came from, through proxies that may be trusted or not."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address


def client_address(forwarded_for: str | None, peer: str | None, trusted_proxies: int) -> str | None:
    """The address that the outermost trusted proxy saw.

    Each proxy appends the address that it was called from, so only the last `trusted_proxies`
    entries of X-Forwarded-For are ours; whatever stands before them, the client may have made up.
    With fewer entries than proxies the request did not come through them: the peer is the client.
    """
    if not trusted_proxies or not forwarded_for:
        return peer
    entries: Sequence[str] = forwarded_for[-4096:].split(",")
    return entries[-trusted_proxies].strip() if len(entries) >= trusted_proxies else peer


def public_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parses `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]:80`; None for what is no address or not a public one."""
    try:
        address = ip_address(_without_port(text))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address if address.is_global else None


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
