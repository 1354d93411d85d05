"""What callers are told where a request cannot be answered: RFC 9457 bodies, and how the contract describes them."""

from typing import Any

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str = Field(examples=["urn:regroup:problem:no_model"])
    title: str
    status: int
    detail: str
    rule: str = Field(description="the name of what was broken; stable")


class ConflictOut(BaseModel):
    """Rules that cannot hold together."""

    rules: list[str] = Field(description="the one to look at first leads")
    detail: str


class RuleOut(BaseModel):
    """One rule of the day."""

    rule: str
    detail: str


class RelaxationOut(BaseModel):
    """What to give up so that the day has a plan; that it then has one is proven."""

    rules: list[str]
    price: float = Field(description="in dropped pins, for comparing only")
    detail: str


class NoPlan(Problem):
    """Why a day has no plan; the members beyond those of every error are there only then."""

    proven: bool | None = Field(default=None, description="false where merely no plan was found")
    conflicts: list[ConflictOut] | None = None
    minimal_set: list[RuleOut] | None = Field(
        default=None, description="rules that no plan keeps together; empty where none was found"
    )
    minimal_set_proven: bool | None = Field(
        default=None, description="whether giving up any one of them is proven to leave a plan of the blocks at issue"
    )
    relaxations: list[RelaxationOut] | None = Field(default=None, description="the cheapest first")
    notes: list[str] | None = Field(default=None, description="wishes that contradict rules and give way")


_WHEN = {
    404: "What the address names does not exist.",
    413: "There is more in the body than is taken at a time.",
    422: "The body is not well formed, or asks for something that cannot be; `rule` says what.",
    503: "Nothing can be served now; Retry-After says when to ask again.",
}


def tell_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for the contract."""
    return {status: _tell_problem(status, Problem) for status in statuses}


def tell_no_plan() -> dict[int | str, dict[str, Any]]:
    """The answer where a day has no plan, for the contract."""
    return {422: _tell_problem(422, NoPlan)}


def _tell_problem(status: int, body: type[Problem]) -> dict[str, Any]:
    return {"description": _WHEN[status], "content": {"application/problem+json": {"schema": _inline(body)}}}


def _inline(body: type[Problem]) -> dict[str, Any]:
    """The schema with what it refers to in place, since a reference would point into the whole contract."""
    schema = body.model_json_schema()
    parts = schema.pop("$defs", {})

    def put(node: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        if isinstance(node, dict):
            return (
                put(parts[node["$ref"].rsplit("/", 1)[1]]) if "$ref" in node else {k: put(v) for k, v in node.items()}
            )
        return [put(each) for each in node] if isinstance(node, list) else node

    inlined: dict[str, Any] = put(schema)
    return inlined
