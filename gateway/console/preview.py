"""The preview: a page as a visitor sees it, with the reasons beside it. Mounted only where access is open."""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from content_blocks.rendering import TemplateProblem
from gateway.api import words
from gateway.api.http import SPACE_HEADER, GraphQLEndpoint
from gateway.api.inputs import checked_visitor, version_of
from gateway.api.request import Request
from gateway.console.circumstances import Controls, circumstances
from gateway.console.stages import Persona, Stage
from gateway.core.catalogue import Catalogue
from gateway.core.context import Context, InvalidContext
from gateway.errors import BlockloomError, NotFound
from gateway.services.deliver import Answer, Asked, record_of
from gateway.services.gateway import MAIN

HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
WANTED = frozenset({"html", "reason", "candidates", "cacheKey", "decision"})
INTERESTS = 8  # shown of a visitor's
DEVICES: Mapping[str, str] = {"mobile": "phone", "tablet": "tablet", "desktop": "desktop", "tv": "television"}
COUNTRIES: Mapping[str, str] = {
    "AU": "Australia",
    "AT": "Austria",
    "BR": "Brazil",
    "CA": "Canada",
    "FR": "France",
    "DE": "Germany",
    "IN": "India",
    "IT": "Italy",
    "JP": "Japan",
    "NZ": "New Zealand",
    "NO": "Norway",
    "ZA": "South Africa",
    "SE": "Sweden",
    "CH": "Switzerland",
    "GB": "United Kingdom",
    "US": "United States",
}
ACTIONS: Mapping[str, str] = {
    "view": "View",
    "like": "Like",
    "add_to_cart": "Add to cart",
    "dismiss": "Dismiss",
}

TITLES = ("title", "name", "headline")

Handler = Callable[[HttpRequest], Coroutine[Any, Any, Response]]

_templates = Environment(
    loader=PackageLoader("gateway.console"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def routes(endpoint: GraphQLEndpoint, stages: Sequence[Stage]) -> list[BaseRoute]:
    """`stages` are what the tabs offer, the first of them at `/`; other spaces have their pages too."""
    home = f"/preview/{quote(stages[0].space if stages else MAIN)}/home"

    async def start(http: HttpRequest) -> Response:
        return RedirectResponse(home)

    async def page(http: HttpRequest) -> Response:
        return await _page(http, endpoint, stages)

    return [
        Route("/", start),
        Mount("/preview/static", StaticFiles(packages=[("gateway.console", "static")])),
        Route("/preview/{space}/{slug:path}", _refusing(page)),
    ]


def _refusing(handler: Handler) -> Handler:
    async def handle(http: HttpRequest) -> Response:
        try:
            return await handler(http)
        except NotFound as error:
            return _html("refusal.html", 404, title="There is no such page", message=error.message)
        except (BlockloomError, InvalidContext, TemplateProblem) as error:
            return _html("refusal.html", 400, title="This cannot be shown", message=str(error))

    return handle


async def _page(http: HttpRequest, endpoint: GraphQLEndpoint, stages: Sequence[Stage]) -> Response:
    space, slug = http.path_params["space"], http.path_params["slug"]
    request = await endpoint.request(_for_space(http, space))
    stage = next((stage for stage in stages if stage.space == space), Stage(space, space))
    persona = _persona(stage, http.query_params)
    context = _context(request, slug, persona, Controls.of(http.query_params))
    asked = Asked(
        context=context,
        visitor=request.space.key(persona.visitor) if persona else None,
        called=persona.visitor if persona else None,
        at_least=version_of(http.query_params.get("atLeast")),
    )
    answer = await request.space.delivery.page(request.edition, slug, asked)
    if answer is None:
        there = ", ".join(sorted(request.edition.catalogue.pages)) or "none yet"
        raise NotFound(f"the space {space} has no page {slug!r}; its pages: {there}")
    page = words.page(request, answer, WANTED, request.space.decisions.record(record_of(answer)))
    return _html(
        "preview.html",
        200,
        page=page,
        slots=list(zip(answer.page.slots, page.slots, strict=True)),
        pages=request.edition.catalogue.pages.values(),
        stage=stage,
        stages=stages,
        persona=persona,
        context=context,
        known=_known(answer),
        actions=ACTIONS,
        devices=_with(DEVICES, context.facts["device"]["type"]),
        countries=_with(COUNTRIES, context.facts["geo"].get("country")),
        day=_day(context),
        data=partial(_data, request.edition.catalogue),
        title=partial(_title, request.edition.catalogue),
    )


def _for_space(http: HttpRequest, space: str) -> dict[str, Any]:
    """The request as the endpoint would see it, had it named this space."""
    try:
        header = (SPACE_HEADER.encode(), space.encode("latin-1"))
    except UnicodeEncodeError:
        raise NotFound(f"there is no space {space!r}") from None
    return {**http.scope, "headers": [*http.scope["headers"], header]}


def _persona(stage: Stage, query: Mapping[str, str]) -> Persona | None:
    """Somebody from the stage, any visitor by id, or nobody; whoever says nothing sees the first."""
    visitor = query.get("persona")
    if visitor is None:
        return stage.personas[0] if stage.personas else None
    if not visitor:
        return None
    return stage.persona(visitor) or Persona(checked_visitor(visitor), visitor, "A visitor of this space.")


def _context(request: Request, slug: str, persona: Persona | None, controls: Controls) -> Context:
    def read(given: Mapping[str, Any]) -> Context:
        return request.reader.read(request.headers, request.client_ip, given, time.time(), {"slug": slug})

    return circumstances(read, persona.context if persona else {}, controls)


def _known(answer: Answer) -> Mapping[str, Any]:
    """What this choice could know of the visitor."""
    ask = answer.ask
    interests = sorted(ask.taste.items(), key=lambda entry: (-entry[1], entry[0]))
    names = {segment.key: segment.name for segment in answer.edition.catalogue.segments}
    return {
        "interests": interests[:INTERESTS],
        "segments": {key: names.get(key, key) for key in ask.facts["segments"]},
        "visits": ask.facts["visitor"]["visits"],
        "engagement": ask.facts["engagement"],
        "version": ask.profile.version if ask.profile else "",
    }


def _with(names: Mapping[str, str], present: str | None) -> Mapping[str, str]:
    """What can be chosen, and what is the case."""
    return names if present is None or present in names else {**names, present: present}


def _day(context: Context) -> str:
    local = datetime.fromisoformat(context.facts["time"]["iso"])
    return f"{local:%A}, {local.day} {local:%B %Y}"


def _data(catalogue: Catalogue, key: str, variant: str) -> Mapping[str, Any]:
    found = catalogue.by_key[key].variant(variant)
    return found.data if found else {}


def _title(catalogue: Catalogue, key: str) -> str:
    """What people call a block, if its content says it in a usual place."""
    data = catalogue.by_key[key].default.data
    return next((data[name] for name in TITLES if isinstance(data.get(name), str)), key)


def _html(template: str, status: int, **names: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(template).render(names), status, dict(HEADERS))
