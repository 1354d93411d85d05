"""What a request to the board passes at its route: the session, the scope, the form; errors become pages."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError

from features.errors import BusyError, RegroupError
from serving.access.caller import Scope
from serving.api.dependencies import require_scope
from serving.api.gated_route import GatedRoute
from serving.api.middleware.authenticate import BOARD
from serving.api.problems import describe_fields
from serving.board.pages import render_error
from serving.board.signed_in import COOKIE, cookie_options, require_own_form
from serving.errors import RequestError, ServiceError, UnauthorizedError

logger = logging.getLogger("regroup")

MOST_FIELDS = 2000
"""Fields of one form: an absence for each person of the largest team."""

MAY_USE_BOARD = require_scope(Scope.BOARD)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class BoardRoute(GatedRoute):
    """A route for whoever is signed in; the others are sent to sign in."""

    def get_route_handler(self) -> Handler:
        """The function that answers a request."""
        self.raw = "POST" in (self.methods or ())  # forms, which the framework reads with a package of its own only
        answer = super().get_route_handler()

        async def judge(request: Request) -> Response:
            sessions = request.app.state.board
            try:
                who = sessions.find(request)
                request.scope["state"]["key_id"] = who.caller.key_id
                sessions.rate.begin(who.caller)
            except ServiceError as error:
                return respond_error(request, error)
            try:
                request.state.caller, request.state.signed_in = who.caller, who
                if not sessions.open_here:
                    sessions.rate.count(who.caller)
                response = await answer(request)
            except (RegroupError, RequestValidationError) as error:
                response = respond_error(request, error)
            finally:
                sessions.rate.end(who.caller)
            if who.cookie is not None and COOKIE not in response.headers.get("set-cookie", ""):
                response.set_cookie(COOKIE, who.cookie, **cookie_options(request))
            return response

        return judge


class OpenRoute(GatedRoute):
    """A route for anybody: signing in."""

    def get_route_handler(self) -> Handler:
        """The function that answers a request."""
        answer = super(GatedRoute, self).get_route_handler()

        async def judge(request: Request) -> Response:
            try:
                return await answer(request)
            except (RegroupError, RequestValidationError) as error:
                return respond_error(request, error)

        return judge


def respond_error(request: Request, error: Exception) -> Response:
    """The page for an error; who is not signed in is sent to sign in."""
    if isinstance(error, UnauthorizedError):
        over = "?over=1" if error.rule == "session_over" else ""
        response: Response = RedirectResponse(f"{BOARD}/sign-in{over}", status_code=HTTPStatus.SEE_OTHER)
        response.delete_cookie(COOKIE, path=BOARD)
        return response
    if isinstance(error, RequestValidationError):
        return render_error(request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", describe_fields(error)[0])
    if isinstance(error, ServiceError):
        return render_error(request, error.status, error.rule, str(error), error.more, error.headers)
    if not isinstance(error, BusyError):
        logger.error("request failed: %s", error)
    return render_error(request, HTTPStatus.SERVICE_UNAVAILABLE, "database_away", str(error))


async def read_form(request: Request) -> Mapping[str, list[str]]:
    """The fields of a form, each with all its values.

    Raises:
        RequestError: The body is no form, or has more fields than any page sends.
    """
    try:
        pairs = parse_qsl(
            (await request.body()).decode(), keep_blank_values=True, strict_parsing=False, max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise RequestError("invalid_request", "the body is no form; send it from a page of the board") from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


async def get_form(request: Request) -> "Form":
    """The form of this request, which a page of this session sent."""
    form = Form(await read_form(request))
    require_own_form(request, form.last, request.state.signed_in)
    return form


class Form:
    """A form that was sent.

    Args:
        fields: All values of each field.
    """

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self.fields = fields
        self.last = {name: values[-1] for name, values in fields.items()}

    def read(self, kind: type["FormBody"]) -> Any:  # noqa: ANN401 - of the kind
        """The fields as a body; a list where the body has one, and blanks left out.

        Raises:
            RequestError: A field does not follow the body's contract; it is named, without its value.
        """
        known = {}
        for name, field in kind.model_fields.items():
            values = [value for value in self.fields.get(name, ()) if value.strip()]
            listed = str(field.annotation).startswith("list")
            if values or listed:
                known[name] = values if listed else values[-1]
        try:
            return kind.model_validate(known)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            raise RequestError("invalid_request", f"{name}: {first['msg']}", field=name) from error


class FormBody(BaseModel):
    """The fields of one form."""


CurrentForm = Annotated[Form, Depends(get_form)]
