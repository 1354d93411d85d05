"""What can go wrong while a request is answered, and how it reaches the caller.

RegroupError (features.errors)
├── ServiceError          has an HTTP status and the name of the rule that was broken
│   ├── UnauthorizedError 401: no API key, or none that counts
│   ├── ForbiddenError    403: the key is not for this kind of call
│   ├── NotFoundError     404: no such team, student, or recommendation, or none that the caller may know of
│   ├── ConflictError     409: what is there already stands against it
│   │   └── InFlightError 409: the same request is being answered; Retry-After says when to ask again
│   ├── TooLargeError     413: there is more in the body than the service takes at a time
│   ├── RequestError      422: the body is well formed and asks for something that cannot be
│   ├── TooManyError      429: more requests than the key may make; Retry-After says when to go on
│   ├── QueueFullError    503: too many requests plan already; Retry-After says when to ask again
│   └── NotReadyError     503: no model or no profiles yet; Retry-After says when to ask again
└── SnapshotError         a version cannot be served; the last good one stays (exit code 4)
    └── RegistryAwayError the registry of versions does not answer; also an UnavailableError (exit code 75)

Every error answer is `application/problem+json` (RFC 9457). None repeats an id of a student.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from features.errors import BusyError, MissingError, RegroupError, UnavailableError
from serving.telemetry.request_ids import REQUEST_ID

logger = logging.getLogger("regroup")

PROBLEM = "application/problem+json"

UNREADABLE = "is no JSON in UTF-8, or is nested too deeply"


class ServiceError(RegroupError):
    """A request cannot be answered.

    Attributes:
        rule: The name of what was broken, for programs; stable.
        headers: Of the answer.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, rule: str, sentence: str, **more: Any) -> None:  # noqa: ANN401 - members of a problem document
        super().__init__(sentence)
        self.rule = rule
        self.more = more

    def answer(self) -> JSONResponse:
        """The problem document."""
        return problem(self.status, self.rule, str(self), headers=self.headers, more=self.more)


class UnauthorizedError(ServiceError):
    """There is no API key, or none that counts."""

    status = HTTPStatus.UNAUTHORIZED
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class ForbiddenError(ServiceError):
    """The key is not for this kind of call."""

    status = HTTPStatus.FORBIDDEN


class NotFoundError(ServiceError):
    """What the address names does not exist."""

    status = HTTPStatus.NOT_FOUND


class TooLargeError(ServiceError):
    """There is more in the body than the service takes at a time."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooManyError(ServiceError):
    """More requests than the key may make."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, sentence: str, headers: Mapping[str, str]) -> None:
        super().__init__("too_many_requests", sentence)
        self.headers = headers


class ConflictError(ServiceError):
    """What is there already stands against it."""

    status = HTTPStatus.CONFLICT


class InFlightError(ConflictError):
    """The same request is being answered by another thread or process."""

    headers = MappingProxyType({"Retry-After": "1"})


class RequestError(ServiceError):
    """The body is well formed and asks for something that cannot be."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class QueueFullError(ServiceError):
    """As many requests plan, and wait for it, as the service takes."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, retry_s: int) -> None:
        super().__init__("planners_busy", f"the planners are busy; ask again in about {retry_s} s")
        self.headers = {"Retry-After": str(retry_s)}


class NotReadyError(ServiceError):
    """Nothing can be served yet."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"Retry-After": "30"})


class SnapshotError(RegroupError):
    """A model version or its profiles cannot be served."""

    exit_code = MissingError.exit_code


class RegistryAwayError(SnapshotError, UnavailableError):
    """The registry of model versions does not answer; the last good version stays."""

    exit_code = UnavailableError.exit_code


def problem(
    status: int,
    rule: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    more: dict[str, Any] | None = None,
) -> JSONResponse:
    """A problem document: `type` names the rule, `title` the status, `detail` says it in a sentence."""
    body = {
        "type": f"urn:regroup:problem:{rule}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "rule": rule,
        "request_id": REQUEST_ID.get(),
        **(more or {}),
    }
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=dict(headers or {}))


def unexpected(error: Exception) -> JSONResponse:
    """The answer to an error that nobody foresaw; where it happened goes to the log, without its message."""
    logger.error("unexpected error while answering a request", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "The service made a mistake; its log says more.")


def install_error_handlers(app: FastAPI) -> None:
    """Turns every error of the service, of validation and of routing into a problem document."""

    @app.exception_handler(ServiceError)
    async def service(_: Request, error: ServiceError) -> JSONResponse:
        return error.answer()

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> JSONResponse:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "database_busy", str(error), headers={"Retry-After": "5"})

    @app.exception_handler(RegroupError)
    async def ours(_: Request, error: RegroupError) -> JSONResponse:
        logger.error("request failed: %s", error)
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_available", str(error), headers={"Retry-After": "30"})

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # the values given stay out of the answer: they may hold ids of students
        fields = [{"field": ".".join(map(str, each["loc"])), "message": each["msg"]} for each in error.errors()]
        told = "; ".join(f"{each['field']}: {each['message']}" for each in fields)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", told, more={"errors": fields})

    @app.exception_handler(HTTPException)
    async def routing(_: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.BAD_REQUEST:  # the framework's, of a body that is no text or nested deeply
            fields = [{"field": "body", "message": UNREADABLE}]
            told = f"body: {UNREADABLE}"
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", told, more={"errors": fields})
        rule = HTTPStatus(error.status_code).name.lower()
        return problem(error.status_code, rule, str(error.detail))
