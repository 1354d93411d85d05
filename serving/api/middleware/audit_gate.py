"""Holds each answer back until what it shows or decides is kept in the audit log."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.problems import error_response
from serving.errors import NotReadyError


class AuditGate:
    """Sends an answer once its audit entries are kept; if they cannot be, 503 instead.

    Routes note entries by `serving.api.dependencies.Auditor` and go on; only the answer waits.

    Args:
        app: The application that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        refused = False

        async def send_kept(message: Message) -> None:
            nonlocal refused
            if refused:
                return
            if message["type"] == "http.response.start":
                try:
                    for entry in scope.get("state", {}).get("audit", ()):
                        await asyncio.wrap_future(entry)
                except NotReadyError as error:
                    refused = True
                    await error_response(error)(scope, receive, send)
                    return
            await send(message)

        await self._app(scope, receive, send_kept)
