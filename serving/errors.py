"""What can go wrong while a request is answered.

RegroupError (features.errors)
├── ServiceError          has an HTTP status and the name of the rule that was broken
│   ├── UnauthorizedError 401: no API key, or none that is valid
│   ├── ForbiddenError    403: the key does not have the scope of this call
│   ├── NotFoundError     404: no such team, student, or recommendation, or none that the caller may know of
│   ├── ConflictError     409: the request contradicts what is stored already
│   │   └── InFlightError 409: the same request is being answered; Retry-After says when to ask again
│   ├── TooLargeError     413: the body is larger than the service accepts
│   ├── RequestError      422: the body is well formed and asks for something impossible
│   │   └── NoPlanError   422: no plan of the day keeps every rule, with the people and the roster as they are now
│   ├── TooManyError      429: more requests than the key may make; Retry-After says when to go on
│   ├── QueueFullError    503: too many requests wait for the solver; Retry-After says when to ask again
│   ├── RosterChangedError 503: what was being made is of students who are gone; Retry-After says when to ask again
│   └── NotReadyError     503: no model or no profiles yet; Retry-After says when to ask again
└── SnapshotError         a version cannot be served; the last good one stays (exit code 4)
    ├── RefusedError      it was tried, and must not serve
    └── RegistryAwayError the registry of versions does not answer; also an UnavailableError (exit code 75)

`serving.api.problems` turns each of them into a problem document. No message repeats an id of a student.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar

from features.errors import MissingError, RegroupError, UnavailableError


class ServiceError(RegroupError):
    """A request cannot be answered.

    Attributes:
        rule: The name of the rule that was broken, for programs; stable.
        more: Further members of the problem document.
        headers: Headers of the answer.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, rule: str, sentence: str, **more: Any) -> None:  # noqa: ANN401 - members of a problem document
        super().__init__(sentence)
        self.rule = rule
        self.more = more


class UnauthorizedError(ServiceError):
    """There is no API key, or none that is valid."""

    status = HTTPStatus.UNAUTHORIZED
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class ForbiddenError(ServiceError):
    """The key does not have the scope of this call."""

    status = HTTPStatus.FORBIDDEN


class NotFoundError(ServiceError):
    """The address names something that does not exist, or that the caller may not know of."""

    status = HTTPStatus.NOT_FOUND


class TooLargeError(ServiceError):
    """The body is larger than the service accepts."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooManyError(ServiceError):
    """The key made more requests than it may."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, sentence: str, headers: Mapping[str, str]) -> None:
        super().__init__("too_many_requests", sentence)
        self.headers = headers


class ConflictError(ServiceError):
    """The request contradicts what is stored already."""

    status = HTTPStatus.CONFLICT


class InFlightError(ConflictError):
    """The same request is being answered by another thread or process."""

    headers = MappingProxyType({"Retry-After": "1"})


class RequestError(ServiceError):
    """The body is well formed and asks for something impossible."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BadRequestError(ServiceError):
    """The request does not follow the standard that its route is of."""

    status = HTTPStatus.BAD_REQUEST


class NoPlanError(RequestError):
    """No plan of the day keeps every rule; with another roster it may have one.

    Members beside the text hold ids of students, so that it is kept nowhere.
    """


class QueueFullError(ServiceError):
    """As many requests wait for the solver as the service allows."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, retry_s: int) -> None:
        super().__init__("queue_full", f"too many requests wait to be planned; ask again in about {retry_s} s")
        self.headers = {"Retry-After": str(retry_s)}


class RosterChangedError(ServiceError):
    """Students of a team were erased, or left it, while something was made of them, so that it is not kept."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"Retry-After": "1"})

    def __init__(self, sentence: str) -> None:
        super().__init__("roster_changed", sentence)


class NotReadyError(ServiceError):
    """Nothing can be served yet."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"Retry-After": "30"})


class SnapshotError(RegroupError):
    """A model version or its profiles cannot be served."""

    exit_code = MissingError.exit_code


class RefusedError(SnapshotError):
    """A model version or its profiles were tried in a process of their own, and did not pass."""


class RegistryAwayError(SnapshotError, UnavailableError):
    """The registry of model versions does not answer; the last good version stays."""

    exit_code = UnavailableError.exit_code
