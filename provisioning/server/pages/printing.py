"""Templates and the files that belong to them."""

import hashlib
from functools import cache
from http import HTTPStatus
from pathlib import Path

import jinja2
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from firmware.text.times import duration
from provisioning.server.pages.language import LANGUAGES, NAMES

HERE = Path(__file__).parent
STATIC = HERE / "static"
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
A_WHILE = {"cache-control": "public, max-age=300"}


@cache
def environment() -> jinja2.Environment:
    """The templates; what they are given, and nothing else, comes out escaped."""
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    pages.globals.update(file=address, duration=duration, languages=LANGUAGES, language_names=NAMES)
    return pages


def html(template: str, values: dict[str, object], status: int = HTTPStatus.OK) -> HTMLResponse:
    """One page."""
    return HTMLResponse(environment().get_template(template).render(values), status)


@cache
def address(name: str) -> str:
    """Where a browser finds a static file; the address changes with the file, so it may be kept for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def static(request: Request) -> Response:
    """One of our own style sheets, scripts or pictures."""
    name = request.path_params["name"]
    path = STATIC / name
    if path.parent != STATIC or not path.is_file():
        return PlainTextResponse("There is no such file.\n", HTTPStatus.NOT_FOUND)
    return FileResponse(path, headers=FOREVER if address(name).endswith(f"?{request.url.query}") else A_WHILE)
