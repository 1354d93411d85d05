"""Has each answer wait until what it shows or decides is noted in the audit log.

A route notes what is read or decided and goes on; the answer goes out when the entry is on disk.
"""

import asyncio
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.authorization import CurrentCaller
from serving.api.problems import error_response
from serving.audit.entries import make_entry
from serving.audit.writer import AuditLog
from serving.errors import NotReadyError


class Auditor:
    """Notes what one request reads or decides.

    Args:
        log: Keeps it.
        key_id: Of the caller.
        request: Whose answer waits.
    """

    def __init__(self, log: AuditLog, key_id: str, request: Request) -> None:
        self._log = log
        self._key_id = key_id
        self._request = request

    def note(
        self, action: str, *, team_id: str | None = None, student_id: str | None = None, subject: str | None = None
    ) -> None:
        """Notes one thing, and returns at once; the answer does not go out before it is kept.

        Args:
            action: Such as `read_board`; a name of this code, never of the caller's.
            team_id: The team it is about; null for none.
            student_id: The student; null where a whole team was read.
            subject: Id of the recommendation or decision; null for none.
        """
        state = self._request.scope["state"]
        entry = make_entry(
            self._key_id, state["request_id"], action, team_id=team_id, student_id=student_id, subject=subject
        )
        state.setdefault("audit", []).append(self._log.record(entry))


async def get_auditor(request: Request, caller: CurrentCaller) -> Auditor:
    """Notes for this request."""
    return Auditor(request.app.state.audit, caller.key_id, request)


CurrentAuditor = Annotated[Auditor, Depends(get_auditor)]


class AuditGate:
    """Holds each answer back until what was noted about it is kept; if that cannot be, nothing is shown.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        refused: NotReadyError | None = None

        async def send_kept(message: Message) -> None:
            nonlocal refused
            if refused is not None:
                return
            if message["type"] == "http.response.start":
                try:
                    for noted in scope.get("state", {}).get("audit", ()):
                        await asyncio.wrap_future(noted)
                except NotReadyError as error:
                    refused = error
                    await error_response(error)(scope, receive, send)
                    return
            await send(message)

        await self._app(scope, receive, send_kept)
