"""Gives every request an id, a line in the log and a place in the metrics, and every error the same form.

The line has the template of the route and never the address: addresses and queries hold ids of students.
"""

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.problems import unexpected
from serving.telemetry.metrics import count_answer
from serving.telemetry.request_ids import REQUEST_ID, choose_request_id

logger = logging.getLogger("regroup")

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""Methods that are logged by name; a caller may send any word as a method."""

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Addresses asked every few seconds, logged at debug level only."""


class RequestLog:
    """Gives each request its id, writes its line and counts it.

    Args:
        app: The application that answers; this is its outermost middleware.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        request_id = choose_request_id(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        token = REQUEST_ID.set(request_id)
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        except Exception as error:
            answer = unexpected(error)
            if status:  # part of an answer was sent, so the server must close the connection
                raise
            await answer(scope, receive, send_named)
        finally:
            _log_answer(scope, status, time.perf_counter() - begun)
            REQUEST_ID.reset(token)


def _log_answer(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path_format", "unknown")
    method = scope["method"] if scope["method"] in METHODS else "other"
    count_answer(method, route, status, seconds)
    line = {
        "method": method,
        "route": route,
        "status": status,
        "ms": round(1000 * seconds, 2),
        "key_id": scope["state"].get("key_id"),
    }
    logger.log(logging.DEBUG if route in PROBES else logging.INFO, "request", extra=line)
