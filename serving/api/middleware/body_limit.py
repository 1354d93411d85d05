"""Limits how much of a body is read to what its address takes, whatever the headers say."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.problems import error_response
from serving.errors import TooLargeError

DROP_BYTES = 2**28
"""Bytes of a refused body that are still received and dropped: closing the connection while the caller writes would
lose the answer. A caller that waits for `100 Continue` is answered at once."""


class BodyLimit:
    """Reads the whole body before the application, or refuses it.

    Args:
        app: The application that gets the body.
        most_bytes: Bytes of the largest body.
        by_path: Limits of addresses that have another.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, by_path: Mapping[str, int]) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._by_path = by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._by_path.get(scope["path"].removeprefix(scope.get("root_path", "")), self._most_bytes)
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        announced = length.isdecimal() and int(length) > most
        body = None if announced else await _read(receive, most)
        if body is None:
            if not (announced and "expect" in headers):
                await _drop(receive)
            error = TooLargeError("body_too_large", f"the body has more than {most:,} bytes; send it in parts")
            await error_response(error)(scope, receive, send)
            return
        unread: list[Message] = [body]

        async def receive_again() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, receive_again, send)


async def _read(receive: Receive, most: int) -> Message | None:
    """The body as one message; null where it is larger than `most` bytes."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message  # the caller went away
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return {"type": "http.request", "body": b"".join(parts), "more_body": False}


async def _drop(receive: Receive) -> None:
    size, more = 0, True
    while more and size < DROP_BYTES:
        message = await receive()
        size += len(message.get("body", b""))
        more = bool(message.get("more_body", False))
