"""GraphiQL, from files that `make install` has built; whole without internet.

    wants_page(request: Request) -> bool                      whether a GET of the API is a browser that wants to look
    page(request: Request, token: str | None = None) -> Response    the page; `token` only where it may be handed out
    routes() -> list[BaseRoute]                               what the page loads, below /graphiql/

`token` is given by `picture up` alone; `page` hands it only to a browser on this machine.
"""

import mimetypes
from importlib.resources import files
from pathlib import Path

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from picture.origins import is_loopback

BUILT = Path(str(files("picture"))) / "web" / "dist"
YEAR_SECONDS = 31_536_000

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Monaco writes its colours into <style> elements
        "font-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",  # it may carry a token
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Names carry a hash of the content.
ASSET_HEADERS = {
    "Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


def wants_page(request: Request) -> bool:
    """Whether this is a person with a browser, and not a query sent by GET."""
    return request.method in ("GET", "HEAD") and "query" not in request.query_params and "text/html" in _accept(request)


def page(request: Request, token: str | None = None) -> Response:
    """The page with its policy. It carries `token` only when a browser on this machine asks for it to show it."""
    try:
        html = (BUILT / "index.html").read_text("utf-8")
    except FileNotFoundError:
        return PlainTextResponse("GraphiQL has not been built: run `make install`.\n", 503)
    config = orjson.dumps({"token": token if token and _is_local(request) else None}).decode()
    config = config.replace("<", "\\u003c")  # nothing in a value may end the script element
    return HTMLResponse(html.replace("{{config}}", config), headers=PAGE_HEADERS)


def routes() -> list[BaseRoute]:
    """What the page loads: hashed names, cached for ever, packed at build time for whoever takes gzip."""
    return [Route("/graphiql/{name}", _asset, methods=["GET"])]


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    path = BUILT / name
    if path.parent != BUILT or path.suffix not in (".js", ".css", ".ttf", ".txt") or not path.is_file():
        raise HTTPException(404)
    media_type, _ = mimetypes.guess_type(name)
    packed = path.with_name(f"{name}.gz")
    if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
        return FileResponse(packed, media_type=media_type, headers=ASSET_HEADERS | {"Content-Encoding": "gzip"})
    return FileResponse(path, media_type=media_type, headers=ASSET_HEADERS)


def _accept(request: Request) -> str:
    return request.headers.get("accept", "")


def _is_local(request: Request) -> bool:
    """Whether a browser on this machine opened the page itself.

    The Host header is looked at, as another site's name may point here (DNS rebinding); a forwarded request came
    from elsewhere; and a script of another page does not navigate but fetches.
    """
    headers = request.headers
    forwarded = any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "origin"))
    navigates = headers.get("sec-fetch-mode", "navigate") == "navigate"
    peer = request.client.host if request.client else ""
    return navigates and not forwarded and is_loopback(peer) and is_loopback(request.url.hostname or "")
