"""What can go wrong while a request is answered, and how it reaches the caller.

RegroupError (features.errors)
├── ServiceError          has an HTTP status and the name of the rule that was broken
│   ├── NotFoundError     404: no such team, student, or recommendation
│   ├── TooLargeError     413: more in one body than is taken at a time
│   ├── RequestError      422: the body is well formed and asks for something that cannot be
│   └── NotReadyError     503: no model or no profiles yet; Retry-After says when to ask again
└── SnapshotError         a version cannot be served; the last good one stays

Every error answer is `application/problem+json` (RFC 9457). None repeats an id of a student.
"""

import logging
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from features.errors import BusyError, RegroupError

logger = logging.getLogger("regroup")

PROBLEM = "application/problem+json"


class ServiceError(RegroupError):
    """A request cannot be answered.

    Attributes:
        rule: The name of what was broken, for programs; stable.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, rule: str, sentence: str, **more: Any) -> None:  # noqa: ANN401 - members of a problem document
        super().__init__(sentence)
        self.rule = rule
        self.more = more


class NotFoundError(ServiceError):
    """What the address names does not exist."""

    status = HTTPStatus.NOT_FOUND


class TooLargeError(ServiceError):
    """More in one body than is taken at a time."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class RequestError(ServiceError):
    """The body is well formed and asks for something that cannot be."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotReadyError(ServiceError):
    """Nothing can be served yet."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class SnapshotError(RegroupError):
    """A model version or its profiles cannot be served."""


def problem(
    status: int, rule: str, detail: str, *, retry_after: int | None = None, more: dict[str, Any] | None = None
) -> JSONResponse:
    """A problem document: `type` names the rule, `title` the status, `detail` says it in a sentence."""
    body = {
        "type": f"urn:regroup:problem:{rule}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "rule": rule,
        **(more or {}),
    }
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    """Turns every error of the service, of validation and of routing into a problem document."""

    @app.exception_handler(ServiceError)
    async def service(_: Request, error: ServiceError) -> JSONResponse:
        retry = 30 if isinstance(error, NotReadyError) else None
        return problem(error.status, error.rule, str(error), retry_after=retry, more=error.more)

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> JSONResponse:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "database_busy", str(error), retry_after=5)

    @app.exception_handler(RegroupError)
    async def ours(_: Request, error: RegroupError) -> JSONResponse:
        logger.error("request failed: %s", error)
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_available", str(error), retry_after=30)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # the values given stay out of the answer: they may hold ids of students
        fields = [{"field": ".".join(map(str, each["loc"])), "message": each["msg"]} for each in error.errors()]
        told = "; ".join(f"{each['field']}: {each['message']}" for each in fields)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", told, more={"errors": fields})

    @app.exception_handler(HTTPException)
    async def routing(_: Request, error: HTTPException) -> JSONResponse:
        rule = HTTPStatus(error.status_code).name.lower()
        return problem(error.status_code, rule, str(error.detail))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        logger.error("unexpected %s while answering a request", type(error).__name__, exc_info=error)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "The service made a mistake; its log says more.")
