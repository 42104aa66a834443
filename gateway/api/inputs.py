"""Arguments of the contract as the core's values; what cannot be right is refused here, by name."""

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from types import NoneType
from typing import Any, cast

import orjson
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from gateway.api.request import Request
from gateway.core.consent import Said
from gateway.core.context import Context, InvalidContext
from gateway.core.events import MAX_DEPTH, MAX_PROPERTIES, Event, Refusal, deeper_than, event_problem, timely
from gateway.core.profiles import Clock, read_version
from gateway.core.sayings import said_of
from gateway.core.terms import Terms
from gateway.errors import BadInput, Problem, TooLarge
from gateway.services.bots import Asking
from gateway.services.deliver import Preview
from schemas.requests import ContextInput, EventInput, PreviewInput

LONGEST_VISITOR = 200
MOST_INTERESTS = 1_000


def plain(value: Any) -> Any:
    """A GraphQL input as plain JSON-like data in the contract's names, without what was not given."""
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if get_object_definition(value) is None:
        return value
    return {
        name: plain(found)
        for attribute, name in _names(cast(Any, type(value)))
        if (found := getattr(value, attribute)) is not None
    }


_SCALARS = (str, int, float, dict, NoneType)


@cache
def _names(kind: type[Any]) -> tuple[tuple[str, str], ...]:
    """The attributes of an input type, and what the contract calls them."""
    return tuple((name, to_camel_case(name)) for name in kind.__dataclass_fields__)


def context_of(request: Request, given: ContextInput | None, page: Mapping[str, Any]) -> Context:
    circumstances = plain(given) if given else None
    if circumstances:
        circumstances.pop("consent", None)  # `said_by` reads it
    try:
        return request.reader.read(request.headers, request.client_ip, circumstances, time.time(), page)
    except InvalidContext as error:
        problems = [Problem(f"/context{path}", message) for path, message in error.problems]
        raise BadInput("the context cannot be right: " + "; ".join(map(str, problems)), problems) from error


def page_context(
    request: Request, given: ContextInput | None, page: Mapping[str, Any], visitor: str | None
) -> Context:
    """The same for a page or recommendations: who asks for more of them than people can is taken for a bot."""
    return request.gateway.bots.page(context_of(request, given, page), asking_of(request), visitor)


def asking_of(request: Request) -> Asking:
    """Who is behind a request, as far as pace goes: addresses are judged for tokens that live in browsers."""
    rates = request.gateway.rates
    origin = rates.origin(request.headers, request.client_ip) if request.caller.publishable else None
    return Asking(request.space.name, origin)


def said_by(given: ContextInput | None) -> Said:
    """What the visitor's consent platform says."""
    if given is None or given.consent is None:
        return {}
    consent = given.consent
    if not isinstance(consent.signals, Mapping | None):
        raise BadInput('consent.signals must be an object, like {"analytics_storage": "denied"}')
    named = {name: getattr(consent, name) for name in ("tcf", "gcs", "gcd")}
    return said_of({**(consent.signals or {}), **named})


def terms_of(request: Request, context: Context | None, said: Said) -> Terms:
    """`context`: the visitor's, where there is one that is not simply the request's."""
    country = None
    if request.space.defaults.by_country:
        country = (context or context_of(request, None, {})).facts["geo"].get("country")
    return Terms(request.space.defaults.of(country), request.gpc, said)


def checked_visitor(visitor: str) -> str:
    if not 0 < len(visitor) <= LONGEST_VISITOR or not visitor.isprintable():
        raise BadInput(f"a visitor's id has 1 to {LONGEST_VISITOR} printable characters")
    return visitor


def version_of(at_least: str | None) -> Clock | None:
    if at_least is None:
        return None
    version = read_version(at_least)
    if version is None:
        raise BadInput("atLeast must be a profileVersion, as track and visitor answer it")
    return version


def preview_of(preview: PreviewInput | None) -> Preview:
    if preview is None:
        return Preview()
    return Preview(
        interests=None if preview.interests is None else _interests(preview.interests),
        segments=None if preview.segments is None else tuple(preview.segments),
        drafts=preview.drafts,
    )


def _interests(given: Any) -> Mapping[str, float]:
    if (
        not isinstance(given, Mapping)
        or len(given) > MOST_INTERESTS
        or not all(isinstance(weight, int | float) and abs(weight) < 1e6 for weight in given.values())
    ):
        raise BadInput('preview.interests must be an object of numbers by tag, like {"climbing": 1}')
    return {str(name): float(weight) for name, weight in given.items()}


def event_of(given: EventInput, received: float) -> Event | Refusal:
    """The event, with an id of ours when it has none."""
    at = timely(_epoch(given.occurred_at, received), received)
    if isinstance(at, Refusal):
        return at
    event = Event(
        id=f"made-{secrets.token_hex(12)}" if given.id is None else given.id,
        type=given.type,
        visitor=given.visitor,
        at=at,
        block=given.block,
        variant=given.variant,
        decision=given.decision,
        page=given.page,
        value=given.value,
        properties=cast(Any, given.properties),
    )
    return event_problem(event) or event


def utc(moment: datetime) -> datetime:
    """A time without an offset is UTC, wherever this machine stands."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _epoch(moment: datetime | None, otherwise: float) -> float:
    if moment is None:
        return otherwise
    try:
        return utc(moment).timestamp()
    except (OverflowError, ValueError, OSError):
        return float("-inf")


def checked_traits(traits: Any) -> Mapping[str, Any]:
    if not isinstance(traits, Mapping) or len(traits) > 100:
        raise BadInput('traits must be an object of at most 100 names, like {"plan": "gold"}')
    if deeper_than(traits, MAX_DEPTH) or len(_json(traits)) > MAX_PROPERTIES:
        raise TooLarge(f"traits may have {MAX_PROPERTIES} bytes of JSON and {MAX_DEPTH} levels")
    return traits


def _json(traits: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(traits)
    except orjson.JSONEncodeError as error:  # literals in a document may be longer than JSON's here
        raise BadInput(f"traits cannot be kept as JSON: {error}") from error
