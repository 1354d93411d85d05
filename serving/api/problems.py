"""Error answers as `application/problem+json` (RFC 9457): their bodies, their OpenAPI, and who renders them."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from features.errors import BusyError, RegroupError
from serving.errors import ServiceError
from serving.telemetry.request_ids import REQUEST_ID

logger = logging.getLogger("regroup")

PROBLEM = "application/problem+json"

UNREADABLE = "is no JSON in UTF-8, or is nested too deeply"


class FieldOut(BaseModel):
    """One field of a request that is not as the contract says."""

    field: str = Field(description="where, as a path", examples=["body.absences.0.student_id"])
    message: str = Field(description="what is wrong; the value is not repeated", examples=["Field required"])


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str = Field(description="the rule as a name of the web", examples=["urn:regroup:problem:no_model"])
    title: str = Field(description="of the status", examples=["Not Found"])
    status: int = Field(description="of HTTP", examples=[404])
    detail: str = Field(
        description="what was wrong, and what would be right", examples=["there is no recommendation with this id"]
    )
    rule: str = Field(description="the name of what was broken; stable", examples=["unknown_recommendation"])
    request_id: str | None = Field(
        default=None, description="to name in a question; the service's log has it too", examples=["9f86d081884c7d65"]
    )
    field: str | None = Field(
        default=None, description="where in the request, if in one place", examples=["sessions[0].room_id"]
    )
    errors: list[FieldOut] | None = Field(default=None, description="every field that is not well formed")


class ConflictOut(BaseModel):
    """Rules that cannot hold together."""

    rules: list[str] = Field(description="the one to look at first leads", examples=[["pinned", "presence"]])
    detail: str = Field(
        description="in plain words; no student is named",
        examples=["A student is pinned to a place in 09:00-09:45 but is absent then."],
    )


class RuleOut(BaseModel):
    """One rule of the day."""

    rule: str = Field(description="its name; stable", examples=["pinned"])
    detail: str = Field(description="what it asks, in plain words", examples=["A student is pinned to a led session."])


class RelaxationOut(BaseModel):
    """What to give up so that the day has a plan; that it then has one is proven."""

    rules: list[str] = Field(description="to be given up together", examples=[["pinned"]])
    price: float = Field(description="in dropped pins, for comparing only", examples=[1.0])
    detail: str = Field(description="what to do, in plain words", examples=["Drop the pin of a student."])


class NoPlan(Problem):
    """Why a day has no plan; the members beyond those of every error are there only then."""

    proven: bool | None = Field(default=None, description="false where merely no plan was found", examples=[True])
    conflicts: list[ConflictOut] | None = Field(default=None, description="what cannot hold together")
    minimal_set: list[RuleOut] | None = Field(
        default=None, description="rules that no plan keeps together; empty where none was found"
    )
    minimal_set_proven: bool | None = Field(
        default=None,
        description="whether giving up any one of them is proven to leave a plan of the blocks at issue",
        examples=[True],
    )
    relaxations: list[RelaxationOut] | None = Field(default=None, description="the cheapest first")
    notes: list[str] | None = Field(
        default=None, description="wishes that contradict rules and give way", examples=[[]]
    )


_WHEN = {
    401: "There is no API key, or none that counts.",
    403: "The key lacks the scope of this call.",
    404: "What the address names does not exist, or not for the schools of the key.",
    409: "What is there already stands against it; `rule` says what, and Retry-After, if given, when to ask again.",
    413: "The body is larger than the service reads.",
    422: "The body is not well formed, or asks for something that cannot be; `rule` says what.",
    429: "The key made more requests than it may in a minute; Retry-After says when to go on.",
    503: "Nothing can be served now; Retry-After says when to ask again.",
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for the contract."""
    return {status: _problem_response(status, Problem) for status in statuses}


def no_plan_response() -> dict[int | str, dict[str, Any]]:
    """The answer where a day has no plan, for the contract."""
    return {422: _problem_response(422, NoPlan)}


def problem_schemas() -> dict[str, Any]:
    """The bodies that the answers above refer to, by name, for the contract's components."""
    _, found = models_json_schema(
        [(Problem, "validation"), (NoPlan, "validation")], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _problem_response(status: int, body: type[Problem]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{body.__name__}"}
    return {"description": _WHEN[status], "content": {"application/problem+json": {"schema": schema}}}


class Service(FastAPI):
    """An application whose contract holds what its error answers refer to."""

    def openapi(self) -> dict[str, Any]:
        """The contract; made once."""
        contract = super().openapi()
        contract["components"]["schemas"].update(problem_schemas())
        return contract


def name_operation(route: APIRoute) -> str:
    """What a generated client calls a route: the name of its function."""
    return route.name


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


def error_response(error: ServiceError) -> JSONResponse:
    """The problem document of an error of the service."""
    return problem(error.status, error.rule, str(error), headers=error.headers, more=error.more)


def unexpected(error: Exception) -> JSONResponse:
    """The answer to an error that nobody foresaw; where it happened goes to the log, without its message."""
    logger.error("unexpected error while answering a request", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "The service made a mistake; its log says more.")


def install_error_handlers(app: FastAPI) -> None:
    """Turns every error of the service, of validation and of routing into a problem document."""

    @app.exception_handler(ServiceError)
    async def service(_: Request, error: ServiceError) -> JSONResponse:
        return error_response(error)

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
        fields = [{"field": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in error.errors()]
        detail = "; ".join(f"{field['field']}: {field['message']}" for field in fields)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, more={"errors": fields})

    @app.exception_handler(HTTPException)
    async def routing(_: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.BAD_REQUEST:  # the framework's, of a body that is no text or nested deeply
            fields = [{"field": "body", "message": UNREADABLE}]
            detail = f"body: {UNREADABLE}"
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, more={"errors": fields})
        rule = HTTPStatus(error.status_code).name.lower()
        return problem(error.status_code, rule, str(error.detail))
