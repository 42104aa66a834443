"""Which pages may call: what a browser says of them, and what a stranger's page could do without being asked.

A page of another site can send, without the browser asking us first (a CORS preflight), any GET, a POST whose
body is a form or plain text, and open a WebSocket. It cannot read the answers, nor set `authorization`; but where no
token is needed, in the demo, merely being asked would be enough. So bodies are taken as JSON alone, for which the
browser does ask; what a browser marks as coming from another site is refused; a WebSocket's origin is checked;
and without tokens only names of this machine are served, lest a stranger's name point here (DNS rebinding).
"""

import ipaddress
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from gateway.errors import CrossSite

EVERY = "*"


def allowed_origin(headers: Mapping[str, str], origins: Sequence[str]) -> bool:
    """Whether the page that asks is ours or one of `origins`; what is no page names no origin.

    An opaque origin ("null": sandboxed frames, files) is nobody's unless it is listed.
    """
    origin = headers.get("origin")
    if origin is None or origin in origins or EVERY in origins:
        return True
    host = headers.get("host", "").lower()
    return host != "" and origin.lower().partition("://")[2] == host


def refuse_other_sites(headers: Mapping[str, str], origins: Sequence[str]) -> None:
    """Raises CrossSite for what a browser says another site's page has sent, unless that site is one of `origins`."""
    if headers.get("sec-fetch-site") != "cross-site":
        return
    if "origin" not in headers or not allowed_origin(headers, origins):
        raise CrossSite(
            "a page of another site may not ask here; add its origin to BLOCKLOOM_CORS_ORIGINS, and let it "
            "send its operations by fetch with POST and JSON"
        )


def loopback(headers: Mapping[str, str]) -> bool:
    """Whether the host that is asked for is this machine by a name that no DNS server can give to others."""
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
