"""The demo's client: the very GraphQL that a frontend would send, over HTTP."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.errors import BadInput

PAGE = """\
query ($slug: String!, $visitor: ID, $context: ContextInput, $atLeast: String) {
  page(slug: $slug, visitor: $visitor, context: $context, atLeast: $atLeast) {
    slots { name blocks { key variant reason { summary } } }
  }
}"""
TRACK = """\
mutation ($events: [EventInput!]!) {
  track(events: $events) {
    accepted
    visitors { profileVersion interests(first: 4) { tag weight } }
  }
}"""
FORGET = """\
mutation ($visitor: ID!) {
  forget(visitor: $visitor) { profiles events decisions }
}"""
VISITOR = """\
query ($visitor: ID!) {
  visitor(id: $visitor) { interests(first: 4) { tag weight } }
}"""
AREAS = """\
query ($visitor: ID!) {
  page(slug: "home", visitor: $visitor) {
    slot(name: "feed") { blocks { key content { ... on Area { title } } } }
  }
}"""


@dataclass(frozen=True, slots=True)
class Answered:
    data: Mapping[str, Any]
    milliseconds: float


class Frontend:
    def __init__(self, http: httpx.AsyncClient) -> None:
        """`http` has the server's address as its base."""
        self._http = http

    async def ask(self, space: str, query: str, **variables: Any) -> Answered:
        """Raises BadInput with the server's own words."""
        body = {"query": query, "variables": variables}
        started = time.perf_counter()
        response = await self._http.post("/graphql", json=body, headers={"blockloom-space": space})
        took = (time.perf_counter() - started) * 1000.0
        answer = response.json()
        if answer.get("errors"):
            raise BadInput(f"the demo was refused: {answer['errors'][0]['message']}")
        return Answered(answer["data"], took)
