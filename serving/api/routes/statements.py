"""`/v1/events/xapi/statements`: statements from clients of a learning record store, answered as such a store does.

The base address to give such a client is that of `/v1/events/xapi/`. It only takes statements in: what was stored is
read by the other routes.

Source: ADL, xAPI-Spec, xAPI-Communication.md 1.0.3, sections 2.1 and 3.3; IEEE 9274.1.1 for version 2.0.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator, SkipValidation

from features.logs.standards.xapi import plain_id
from serving.access.caller import Scope
from serving.api.dependencies import require_scope
from serving.api.gated_route import EventsRoute
from serving.api.problems import describe_fields, problem_responses
from serving.api.routes.events import CurrentIntake, CurrentNames
from serving.errors import BadRequestError, ConflictError, RequestError
from serving.intake.xapi import Statement, store_statements, to_statements
from serving.schemas.texts import Address, OptionalText

VERSION_HEADER, VERSION = "X-Experience-API-Version", "1.0.3"

READ = re.compile(r"(1\.0|2\.0)(\.[0-9]+)?")
"""Versions of the standard that are read."""

CONFLICTS = frozenset({"conflicting_statement", "conflicting_response", "reused_key"})
"""Rules that a statement breaks whose id is known with another content."""


class StatementsRoute(EventsRoute):
    """A route that answers as a record store: with its version, 400 for what is wrong and 409 for a known id."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function that answers a request."""
        answer = super().get_route_handler()

        async def answer_as_store(request: Request) -> Response:
            try:
                response = await answer(request)
            except RequestValidationError as error:
                detail, fields = describe_fields(error)
                raise _told(BadRequestError("invalid_request", detail, errors=fields)) from None
            except BadRequestError as error:
                raise _told(error) from None
            except RequestError as error:
                rules = {event["rule"] for event in error.more.get("rejected", ())}
                kind = ConflictError if rules and rules <= CONFLICTS else BadRequestError
                raise _told(kind(error.rule, str(error), **error.more)) from None
            response.headers[VERSION_HEADER] = VERSION
            return response

        return answer_as_store


router = APIRouter(prefix="/v1/events/xapi/statements", route_class=StatementsRoute, tags=["events"])


async def require_version(
    version: Annotated[
        OptionalText | None, Header(alias=VERSION_HEADER, description="1.0, 2.0 or a patch of them; required")
    ] = None,
) -> None:
    """Refuses requests without a version of the standard, or with one that is not read.

    Raises:
        BadRequestError: This one is.
    """
    if version is None or not READ.fullmatch(version):
        raise BadRequestError("xapi_version", f"{VERSION_HEADER}: send {VERSION} or 2.0.0", field=VERSION_HEADER)


NEEDED = [require_scope(Scope.LOAD), Depends(require_version)]

Sent = Annotated[list[SkipValidation[Statement]], BeforeValidator(to_statements), Body(min_length=1)]


@router.post("", dependencies=NEEDED, responses=problem_responses(400, 409, 413, 503))
def post_statements(body: Sent, intake: CurrentIntake, names: CurrentNames) -> list[str]:
    """Stores one statement or a list of them as `/v1/events/xapi` does, all or none, and answers with their ids.

    A statement without an id gets one. A known id with another content is 409, and what is no statement is 400.
    """
    intake.require_few(len(body))
    return _store(intake, body, names)


@router.put("", status_code=204, dependencies=NEEDED, responses=problem_responses(400, 409, 413, 503))
def put_statement(
    body: SkipValidation[Statement],
    intake: CurrentIntake,
    names: CurrentNames,
    statement_id: Annotated[Address, Query(alias="statementId", min_length=1)],
) -> None:
    """Stores one statement under an id; the same statement again changes nothing, and another one is 409."""
    document: object = body
    if not isinstance(document, dict):
        raise BadRequestError("invalid_request", "body: is no statement; right would be one JSON object", field="body")
    if plain_id(document.get("id", statement_id)) != plain_id(statement_id):
        raise BadRequestError("other_id", "id: differs from statementId; right would be the same", field="id")
    _store(intake, [document | {"id": statement_id}], names)


def _store(intake: CurrentIntake, documents: list[Any], names: CurrentNames) -> list[str]:
    """Stores statements, each with an id, and returns the ids."""
    named = [
        document | {"id": str(uuid4())} if isinstance(document, dict) and document.get("id") is None else document
        for document in documents
    ]
    store_statements(intake, named, names, atomic=True, strict=True)
    return [str(document["id"]) for document in named]


def _told(error: BadRequestError | ConflictError) -> BadRequestError | ConflictError:
    error.headers = {**error.headers, VERSION_HEADER: VERSION}
    return error
