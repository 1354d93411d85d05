"""`/board/sign-in`, `/board/sign-out` and `/board/static`: what anybody may ask for."""

import re
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from serving.access.caller import Scope
from serving.access.keys import PATTERN
from serving.api.middleware.authenticate import BOARD
from serving.board.pages import HEADERS, render
from serving.board.route import MAY_USE_BOARD, BoardRoute, CurrentForm, OpenRoute, read_form, respond_error
from serving.board.signed_in import COOKIE, cookie_options, require_own_page
from serving.errors import NotFoundError, NotReadyError, UnauthorizedError

MOST_BYTES = 4096
"""Bytes of a form of somebody who is not signed in."""

STATIC = {
    "board.css": "text/css",
    "board.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "hx-csp.min.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""Files that pages load, by their types."""

REFUSED = (
    "This key or link does not open the board: it has expired, was revoked, or is not whole. "
    "Ask whoever runs regroup for a new link."
)
NOT_FOR_BOARD = "This key is for programs. Ask whoever runs regroup for a link to the board."

open_router = APIRouter(prefix=BOARD, route_class=OpenRoute, include_in_schema=False)
router = APIRouter(prefix=BOARD, route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD])


@open_router.get("/sign-in")
async def show_sign_in(
    request: Request,
    over: Annotated[bool, Query(description="whether a session has ended")] = False,
    out: Annotated[bool, Query(description="whether somebody has just signed out")] = False,
) -> Response:
    """The page on which people sign in."""
    if request.app.state.board.open_here:
        return RedirectResponse(BOARD, status_code=HTTPStatus.SEE_OTHER)
    said = "You are signed out." if out else "You were away for a while, so you are signed out." if over else None
    return render(request, "sign_in.html", said=said, wrong=None)


@open_router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Begins a session with a key, or with a whole link that has one."""
    require_own_page(request)
    sent = request.headers.get("content-length", "")
    if not sent.isdecimal() or int(sent) > MOST_BYTES:
        return _refuse(request, REFUSED)
    fields = await read_form(request)
    found = re.search(PATTERN, fields.get("key", [""])[-1])
    try:
        who = request.app.state.board.begin("" if found is None else found[0])
    except UnauthorizedError:
        return _refuse(request, REFUSED)
    except NotReadyError as error:
        return respond_error(request, error)
    if Scope.BOARD not in who.caller.scopes:
        return _refuse(request, NOT_FOR_BOARD)
    response = RedirectResponse(BOARD, status_code=HTTPStatus.SEE_OTHER)
    response.set_cookie(COOKIE, who.cookie, **cookie_options(request))
    return response


@router.post("/sign-out")
async def sign_out(form: CurrentForm) -> Response:
    """Ends the session of this browser."""
    del form  # it was sent by a page of the session
    response = RedirectResponse(f"{BOARD}/sign-in?out=1", status_code=HTTPStatus.SEE_OTHER)
    response.delete_cookie(COOKIE, path=BOARD)
    return response


@open_router.get("/static/{name}")
async def read_static(name: Annotated[str, Path(max_length=40)]) -> Response:
    """A file that pages load."""
    if name not in STATIC:
        raise NotFoundError("not_found", "the board has no such file")
    content = (files("serving.board") / "static" / name).read_bytes()
    return Response(content, media_type=STATIC[name], headers=HEADERS | {"Cache-Control": "max-age=3600"})


def _refuse(request: Request, sentence: str) -> Response:
    return render(request, "sign_in.html", status=HTTPStatus.FORBIDDEN, said=None, wrong=sentence)
