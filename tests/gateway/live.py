"""A live gateway over HTTP on the session's engine, and clients with tokens for it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import httpx

from gateway.app import build_app
from gateway.core.bundles import Bundle, read_bundle
from gateway.server import serving
from gateway.services.gateway import MAIN, Gateway
from gateway.settings import Settings
from gateway.storage.client import connect
from schemas.vocabulary import Scope

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


@dataclass(frozen=True)
class Client:
    """Asks GraphQL with one token (or none)."""

    http: httpx.AsyncClient
    headers: Mapping[str, str] = field(default_factory=dict)

    async def post(
        self, query: str, headers: Mapping[str, str] | None = None, **variables: Any
    ) -> dict[str, Any]:
        """The whole answer."""
        body = {"query": query, "variables": variables}
        answer = await self.http.post("/graphql", json=body, headers={**self.headers, **(headers or {})})
        found: dict[str, Any] = answer.json()
        return found

    async def ask(self, query: str, headers: Mapping[str, str] | None = None, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.post(query, headers, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refused(
        self, query: str, headers: Mapping[str, str] | None = None, **variables: Any
    ) -> dict[str, Any]:
        """The extensions, with the message, of the first error of an answer that must have one."""
        answer = await self.post(query, headers, **variables)
        assert answer.get("errors"), answer
        error = answer["errors"][0]
        return {"message": error["message"], **error.get("extensions", {})}


@dataclass(frozen=True)
class Live:
    gateway: Gateway
    http: httpx.AsyncClient
    address: str

    @property
    def nobody(self) -> Client:
        return Client(self.http)

    async def client(self, *scopes: Scope, space: str = MAIN, publishable: bool = False) -> Client:
        """A client with a new token of that space; all scopes when none is named."""
        token, _ = await self.gateway.tokens.create(space, scopes or tuple(Scope), "test", publishable)
        return self.bearing(token)

    def bearing(self, token: str) -> Client:
        return Client(self.http, {"authorization": f"Bearer {token}"})

    async def load(self, bundle: Mapping[str, Any], space: str = MAIN) -> None:
        """Publish a bundle given as its JSON."""
        kinds = {"blockTypes": "blockType", "segments": "segment", "blocks": "block", "pages": "page"}
        documents = Bundle.of({kinds[name]: found for name, found in bundle.items()})
        await (await self.gateway.create_space(space)).authoring.load(documents, "test")

    async def load_shop(self, space: str = MAIN) -> None:
        """Publish the demo's shop."""
        text = resources.files("gateway.demo").joinpath("shop.yaml").read_bytes()
        bundle, problems = read_bundle(text, "shop.yaml")
        assert not problems
        await (await self.gateway.create_space(space)).authoring.load(bundle, "test")


@asynccontextmanager
async def live(engine_url: str, prefix: str, alone: bool = False, **settings: Any) -> AsyncIterator[Live]:
    """`settings` as in gateway.settings, beside a default of opt-out and quick folding."""
    chosen = Settings(**{"database": prefix, "consent": "opt-out", "fold_seconds": 0.2, **settings})
    gateway = Gateway(connect(engine_url, prefix), chosen, alone)
    try:
        await gateway.open()
        async with (
            serving(build_app(gateway), "127.0.0.1", 0) as address,
            httpx.AsyncClient(base_url=address, timeout=15) as http,
        ):
            yield Live(gateway, http, address)
    finally:
        await gateway.close()
