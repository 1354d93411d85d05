"""Authenticates each request by its API key before its body is read, whatever its address.

Liveness, readiness, metrics and the contract need no key: they hold counts and names of versions, no id of a student,
team or school, and monitoring should need no key to children's data. Every other address needs one.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.caller import ANYBODY, Caller
from serving.access.key_cache import KeyCache
from serving.access.rate import RateLimit
from serving.api.problems import error_response
from serving.errors import ServiceError, UnauthorizedError

OPEN = frozenset({"/livez", "/readyz", "/metrics", "/docs", "/openapi.json"})
"""Addresses that need no key."""

BOARD = "/board"
"""The team's pages, for browsers: their routes authenticate by the cookie of a session (`serving.board.route`)."""

HERE = ("127.0.0.1", "::1", "localhost")
"""Names by which a machine can reach only itself."""


class Authentication:
    """Puts the caller of each request into its state, or refuses the request.

    Args:
        app: The application that answers authenticated requests.
        keys: The cache of API keys.
        rate: Counts the requests of each key.
        open_here: Whether to answer without keys, and only requests from this machine.
    """

    def __init__(self, app: ASGIApp, keys: KeyCache, rate: RateLimit, *, open_here: bool) -> None:
        self._app = app
        self._keys = keys
        self._rate = rate
        self._open_here = open_here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http" or _address(scope) in OPEN or f"{_address(scope)}/".startswith(f"{BOARD}/"):
            await self._app(scope, receive, send)
            return
        try:
            caller, headers = self._authenticate(scope)
            self._rate.begin(caller)
        except ServiceError as error:
            await error_response(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        try:
            await self._app(scope, receive, send_with_limits if headers else send)
        finally:
            self._rate.end(caller)

    def _authenticate(self, scope: Scope) -> tuple[Caller, dict[str, str]]:
        if self._open_here:
            if not is_here(scope):
                raise UnauthorizedError("not_here", "a service that is open without keys answers its own machine only")
            return ANYBODY, {}
        caller = self._keys.find(Headers(scope=scope).get("authorization"))
        scope.setdefault("state", {})["key_id"] = caller.key_id  # for the log, also where the limit refuses
        return caller, self._rate.count(caller)


def _address(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def is_here(scope: Scope) -> bool:
    """Whether the request came by the loopback interface and names it.

    Headers count too: a web page can have its own name resolved to this machine, and a proxy on this machine sends
    requests for others.
    """
    headers = Headers(scope=scope)
    if "forwarded" in headers or "x-forwarded-for" in headers:
        return False
    name, _, end = headers.get("host", "").partition("]")
    name = name.removeprefix("[") if end or name.startswith("[") else name.partition(":")[0]
    return (scope.get("server") or ("", None))[0] in HERE and name in HERE
