"""What a route asks of its caller."""

from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from serving.access.caller import Caller, Scope
from serving.access.key_cache import NO_KEY
from serving.errors import ForbiddenError, UnauthorizedError

_BEARER = HTTPBearer(
    scheme_name="api_key",
    bearerFormat="rg_<key_id>_<secret>",
    description="An API key with scopes, from `python -m serving keys issue`. "
    "It knows of all schools or of some; what belongs to others is answered as what does not exist.",
    auto_error=False,
)
"""For the contract only; `serving.api.middleware.authenticate.Authentication` has read the key before."""


async def get_caller(request: Request, scopes: SecurityScopes, _: Annotated[object, Security(_BEARER)]) -> Caller:
    """The caller of this request.

    Raises:
        UnauthorizedError: The request was not authenticated.
        ForbiddenError: The key lacks a scope that the route asks for.
    """
    caller: Caller | None = request.scope.get("state", {}).get("caller")
    if caller is None:
        raise UnauthorizedError("key_missing", NO_KEY)
    for scope in scopes.scopes:
        if scope not in caller.scopes:
            raise ForbiddenError(
                "scope_missing",
                f"this key lacks the scope {scope!r}; `python -m serving keys issue --scope {scope}` makes one with it",
            )
    return caller


CurrentCaller = Annotated[Caller, Security(get_caller)]
"""For a route that also looks at schools; which scope it takes is said by `require_scope`."""


def require_scope(scope: Scope) -> Any:  # noqa: ANN401 - FastAPI's own marker, for `dependencies=[...]` of a route
    """Has a route answer only callers with a scope; every route that needs a key has one."""
    return Security(get_caller, scopes=[scope.value])
