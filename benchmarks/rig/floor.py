"""python floor.py PAGES: the least that sends these pages as JSON over HTTP, a Starlette route and orjson."""

import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def app(pages: Mapping[str, Any]) -> Starlette:
    """`pages` by visitor."""

    async def page(request: Request) -> Response:
        asked = orjson.loads(await request.body())
        body = orjson.dumps({"data": {"page": pages[asked["variables"]["visitor"]]}})
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/graphql", page, methods=["POST"])])


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"listening at http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        app(orjson.loads(Path(sys.argv[1]).read_bytes())),
        loop="uvloop",
        http="httptools",
        log_level="error",
        access_log=False,
    )
    uvicorn.Server(config).run(sockets=[listening])
