"""What a request passes at its route before it is validated: the scope of its key, then the size of its body.

Not a byte of a body is read before the key's scopes allow the route, and no more than the route takes. A large body is
read by one thread beside the event loop, and only one of each key at a time is held in memory.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.params import Security
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from serving.access.caller import Caller
from serving.access.key_cache import NO_KEY
from serving.access.rate import RateLimit
from serving.api.large_json import TooManyValuesError, read_json
from serving.errors import ForbiddenError, TooLargeError, UnauthorizedError

LARGE_BYTES = 2**16
"""Bytes of a body that is read as JSON on the event loop at once, within a millisecond or two."""

MOST_VALUES = 200_000
"""Values in the large lists of one body; a batch has one for each event."""


def require_scopes(request: Request, scopes: list[str]) -> Caller:
    """The caller of a request, whose key has the scopes.

    Raises:
        UnauthorizedError: The request was not authenticated.
        ForbiddenError: The key lacks a scope.
    """
    caller: Caller | None = request.scope.get("state", {}).get("caller")
    if caller is None:
        raise UnauthorizedError("key_missing", NO_KEY)
    for scope in scopes:
        if scope not in caller.scopes:
            raise ForbiddenError(
                "scope_missing",
                f"this key lacks the scope {scope!r}; `python -m serving keys issue --scope {scope}` makes one with it",
            )
    return caller


class GatedRoute(APIRoute):
    """A route that judges scope and size before it reads a body; the class of every route that needs a key."""

    most_bytes = "body_bytes"
    """The setting that says how large a body may be."""

    raw = False
    """Whether a body is taken as it comes, instead of as JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function that answers a request."""
        answer = super().get_route_handler()
        scopes = [scope for need in self.dependencies if isinstance(need, Security) for scope in need.scopes or ()]
        has_body = self.raw or self.body_field is not None

        async def judge(request: Request) -> Response:
            caller = require_scopes(request, scopes)
            if not has_body:
                return await answer(request)
            bodies: Bodies = request.app.state.bodies
            async with AsyncExitStack() as stack:
                try:
                    most = getattr(request.app.state.settings, self.most_bytes)
                    read = await bodies.read(request, caller, most, stack, raw=self.raw)
                except ClientDisconnect:
                    return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody gets it; the log shows it
                return await answer(read)

        return judge


class EventsRoute(GatedRoute):
    """The same for batches of events, which are large."""

    most_bytes = "events_body_bytes"


class RosterRoute(EventsRoute):
    """The same for rosters, which are files."""

    raw = True


class _ReadRequest(Request):
    """A request whose body was read."""

    def __init__(self, request: Request, body: bytes, content: object) -> None:
        super().__init__(request.scope, request.receive)
        self._read, self._content = body, content

    async def body(self) -> bytes:
        """The body."""
        return self._read

    async def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body as JSON.

        Raises:
            ValueError: It is none.
            RecursionError: It is nested too deeply.
        """
        if isinstance(self._content, Exception):
            raise self._content
        return self._content


class Bodies:
    """Reads the bodies of a process.

    Args:
        rate: Counts the bytes of each key.
    """

    def __init__(self, rate: RateLimit) -> None:
        self._rate = rate
        self._reader = _make_reader()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def read(
        self, request: Request, caller: Caller, most: int, stack: AsyncExitStack, *, raw: bool = False
    ) -> Request:
        """The request with its body read, as JSON where it is JSON.

        Args:
            request: The request.
            caller: Whose request it is.
            most: Bytes of the largest body.
            stack: Holds the turn of a large body, until the request is answered.
            raw: Whether the body is no JSON.

        Raises:
            TooLargeError: The body is larger.
            TooManyError: The key has sent as many bytes as it may.
            ClientDisconnect: The caller went away.
        """
        length = request.headers.get("content-length", "")
        announced = int(length) if length.isdecimal() else 0
        if announced > most:
            raise _too_large(most)
        if announced:
            self._rate.count_bytes(caller, announced)
        turn = self._turns[caller.key_id]
        large = announced > LARGE_BYTES
        if large:
            await stack.enter_async_context(turn)
        parts, size = [], 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > most:
                raise _too_large(most)
            if size > announced:
                self._rate.count_bytes(caller, len(part))
            if size > LARGE_BYTES and not large:
                large = True
                await stack.enter_async_context(turn)
        body = b"".join(parts)
        if raw:
            return _ReadRequest(request, body, None)
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(self._reader, _read, body) if large else _read_small(body)
        if isinstance(content, TooManyValuesError):
            raise TooLargeError("too_many_values", "the body has more values than any request needs; send it in parts")
        return _ReadRequest(request, body, content)

    def stop(self) -> None:
        """Ends the thread."""
        self._reader.shutdown(wait=False)
        self._reader = _make_reader()  # an application may be started again; a thread begins with the first body


def _make_reader() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="large-json")


def _too_large(most: int) -> TooLargeError:
    return TooLargeError("body_too_large", f"the body has more than {most:,} bytes; send it in parts")


def _read_small(body: bytes) -> object:
    """A body as JSON, or why it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        return error


def _read(body: bytes) -> object:
    """The same for a large body."""
    try:
        return read_json(body.decode(json.detect_encoding(body), "surrogatepass"), MOST_VALUES)
    except (ValueError, RecursionError) as error:
        return error
