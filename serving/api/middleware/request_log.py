"""Every request has an id, a line in the log and a place in the metrics; no error goes out unlike the others.

The line has the route's template and never the address: addresses and queries hold ids of students.
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
"""A method is any word of the caller's; others are not repeated."""

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds; they have a line only at the level of debugging."""


class RequestLog:
    """Gives each request its id, writes its line and counts it.

    Args:
        app: What answers; nothing may stand outside of this.
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
            if status:  # half of an answer is out: the server has to break the connection off
                raise
            await answer(scope, receive, send_named)
        finally:
            _log_answer(scope, status, time.perf_counter() - begun)
            REQUEST_ID.reset(token)


def _log_answer(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unknown")
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
