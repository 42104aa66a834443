"""Who is asking, from where, on what, when: one request's circumstances as facts for conditions.

reader      a request's headers, address and explicit input -> Context
given       what the client says outright: checked, and above everything else
devices     hints (Client Hints), agents (User-Agent) and the CDNs' device headers
places      the CDNs' country headers, database (country of an address), countries, addresses
times       the visitor's zone and the local time in it
languages   Accept-Language
pages       the address of the page that asks
"""

from gateway.core.context.database import CountryDatabase
from gateway.core.context.given import ContextProblem, InvalidContext
from gateway.core.context.reader import COUNTRY_DATABASE, Context, ContextReader

__all__ = [
    "COUNTRY_DATABASE",
    "Context",
    "ContextProblem",
    "ContextReader",
    "CountryDatabase",
    "InvalidContext",
]
