"""Error answers as `application/problem+json` (RFC 9457): their bodies, their OpenAPI, and the error handlers."""

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
from serving.schemas.texts import name_field
from serving.telemetry.request_ids import REQUEST_ID

logger = logging.getLogger("regroup")

PROBLEM = "application/problem+json"

RULE_IDS = (
    "rules behind it: ids of the roster's, `rules[0]` for the first of the request, `keep_sessions` for kept seats"
)

MOST_TOLD = 50
"""Wrong fields that an answer names, at most: a body may hold any number of them."""

UNREADABLE = "is not JSON in UTF-8, or is nested too deeply"


class FieldOut(BaseModel):
    """One field of a request that does not follow the contract."""

    field: str = Field(description="path of the field", examples=["body.absences.0.student_id"])
    message: str = Field(
        description="what is wrong with the field; the value is not repeated", examples=["Field required"]
    )


class Problem(BaseModel):
    """An error as a problem document (RFC 9457)."""

    type: str = Field(description="URN of the rule", examples=["urn:regroup:problem:no_model"])
    title: str = Field(description="the HTTP status in words", examples=["Not Found"])
    status: int = Field(description="the HTTP status", examples=[404])
    detail: str = Field(
        description="what was wrong, and what would be right", examples=["there is no recommendation with this id"]
    )
    rule: str = Field(description="code of what is wrong; stable", examples=["unknown_recommendation"])
    request_id: str | None = Field(
        default=None,
        description="id of the request, which is also in the service's log; quote it to support",
        examples=["9f86d081884c7d65"],
    )
    field: str | None = Field(
        default=None,
        description="path of the field that is wrong; null where it is not one field",
        examples=["sessions[0].room_id"],
    )
    errors: list[FieldOut] | None = Field(
        default=None, description="the fields that do not follow the contract, at most 50; null for other errors"
    )


class ConflictOut(BaseModel):
    """Rules that no plan can keep together."""

    rules: list[str] = Field(
        description="names of the rules, the one to look at first", examples=[["pinned", "presence"]]
    )
    detail: str = Field(
        description="the conflict in plain words; no student is named",
        examples=["A student has a fixed assignment in 09:00-09:45 but is absent then."],
    )
    students: list[str] = Field(default_factory=list, description="students concerned", examples=[["s0412"]])
    rule_ids: list[str] = Field(default_factory=list, description=RULE_IDS, examples=[["rules[0]"]])


class RuleOut(BaseModel):
    """One rule of the day."""

    rule: str = Field(description="name of the rule; stable", examples=["pinned"])
    detail: str = Field(
        description="what the rule demands, in plain words",
        examples=["A student has a fixed assignment to an adult-led session."],
    )


class RelaxationOut(BaseModel):
    """Rules to give up so that the day has a plan, which is proven."""

    rules: list[str] = Field(description="names of the rules to give up together", examples=[["pinned"]])
    penalty: float = Field(
        description="penalty for comparing relaxations; 1 is that of one dropped fixed assignment", examples=[1.0]
    )
    detail: str = Field(
        description="what to do, in plain words", examples=["Drop the fixed assignment of one student."]
    )
    students: list[str] = Field(default_factory=list, description="students concerned", examples=[["s0412"]])
    rule_ids: list[str] = Field(default_factory=list, description=RULE_IDS, examples=[["rules[0]"]])


class NoPlan(Problem):
    """An error that may explain why a day has no plan; only then are the members beyond those of `Problem` set."""

    proven: bool | None = Field(
        default=None,
        description="whether it is proven that the day has no plan; false: merely none was found",
        examples=[True],
    )
    conflicts: list[ConflictOut] | None = Field(default=None, description="rules that no plan can keep together")
    minimal_set: list[RuleOut] | None = Field(
        default=None, description="a minimal set of rules that no plan can keep together; empty where none was found"
    )
    minimal_set_proven: bool | None = Field(
        default=None,
        description="whether it is proven that giving up any one rule of the minimal set leaves a plan of its blocks",
        examples=[True],
    )
    relaxations: list[RelaxationOut] | None = Field(
        default=None, description="what to give up so that the day has a plan, the lowest penalty first"
    )
    notes: list[str] | None = Field(
        default=None, description="soft preferences that contradict rules and give way", examples=[[]]
    )


_WHEN = {
    400: "The request does not follow xAPI; `rule` says how.",
    401: "There is no valid API key.",
    403: "The key lacks the scope of this call.",
    404: "What the address names does not exist for the schools of the key.",
    409: "The request conflicts with what is stored; `rule` says how, and Retry-After, if given, when to ask again.",
    413: "The body is larger than the service reads.",
    422: "The body does not follow the contract, or asks for something impossible; `rule` says what.",
    429: "The key made more requests than it may in a minute; Retry-After says when to ask again.",
    503: "The request cannot be answered now; Retry-After says when to ask again.",
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The part of the contract for the error answers of a route."""
    return {status: _problem_response(status, Problem) for status in statuses}


def no_plan_response() -> dict[int | str, dict[str, Any]]:
    """The part of the contract for the answer where a day has no plan."""
    return {422: _problem_response(422, NoPlan)}


def _problem_response(status: int, body: type[Problem]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{body.__name__}"}
    return {"description": _WHEN[status], "content": {"application/problem+json": {"schema": schema}}}


class Service(FastAPI):
    """An application whose contract has the bodies of error answers, and a sentence as the summary of each call."""

    def openapi(self) -> dict[str, Any]:
        """The contract."""
        contract = super().openapi()
        _, problems = models_json_schema(
            [(Problem, "validation"), (NoPlan, "validation")], ref_template="#/components/schemas/{model}"
        )
        contract["components"]["schemas"].update(problems["$defs"])
        for calls in contract["paths"].values():
            for call in calls.values():
                call["summary"] = call["description"].partition("\n\n")[0]
        return contract


def name_operation(route: APIRoute) -> str:
    """The name of a route in generated clients: the name of its function."""
    return route.name


def problem(
    status: int,
    rule: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    more: dict[str, Any] | None = None,
) -> JSONResponse:
    """A problem document: `type` and `rule` name what is wrong, `detail` is a sentence about it."""
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


def describe_fields(error: RequestValidationError) -> tuple[str, list[dict[str, str]]]:
    """What is wrong with a request, in a text and by field, without values: they may hold ids of students."""
    wrong = error.errors()[:MOST_TOLD]
    fields = [{"field": name_field(each["loc"]), "message": each["msg"]} for each in wrong]
    return "; ".join(f"{field['field']}: {field['message']}" for field in fields), fields


def unexpected(error: Exception) -> JSONResponse:
    """The answer to an unexpected error, whose traceback goes to the log without its message."""
    logger.error("unexpected error while answering a request", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "The service failed; its log says more.")


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
        detail, fields = describe_fields(error)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, more={"errors": fields})

    @app.exception_handler(HTTPException)
    async def routing(_: Request, error: HTTPException) -> JSONResponse:
        if (
            error.status_code == HTTPStatus.BAD_REQUEST
        ):  # the framework's, for a body that is not text or is nested too deeply
            fields = [{"field": "body", "message": UNREADABLE}]
            detail = f"body: {UNREADABLE}"
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, more={"errors": fields})
        rule = HTTPStatus(error.status_code).name.lower()
        return problem(error.status_code, rule, str(error.detail))
