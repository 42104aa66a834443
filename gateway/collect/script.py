"""The script that pages load to have their `dataLayer` relayed."""

from hashlib import blake2b
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response

SCRIPT = resources.files("gateway.collect").joinpath("static/collect.js").read_bytes()
TAG = f'"{blake2b(SCRIPT, digest_size=12).hexdigest()}"'
HEADERS = {
    "cache-control": "public, max-age=3600",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
    "etag": TAG,
}


async def script(request: Request) -> Response:
    if request.headers.get("if-none-match") == TAG:
        return Response(status_code=304, headers=HEADERS)
    return Response(SCRIPT, headers=HEADERS, media_type="text/javascript")
