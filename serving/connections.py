"""HTTP connections: how much of a request is taken in, and for how long, before anything else of the service works.

A header or a body that does not end, a request that stays half open and an answer that is not read cost no more than
these limits, with or without a key. Where connections run out, those that nobody is waiting on are closed first.
"""

import asyncio
import json
import resource
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from serving.telemetry.metrics import count_refused

HEAD_BYTES = 2**15
"""The most bytes of an address and its headers, or of what frames the parts of a body beyond the body itself."""

HEADERS = 100
"""The most headers of a request."""

PIPELINED = 8
"""The most requests that wait on a connection for an earlier one of it to be answered."""

HEAD_S, BODY_S, ANSWER_S = 10.0, 60.0, 30.0
"""Seconds until an address and its headers have to be in, until the body has to follow them, and for which an answer
may be stuck because its caller does not read it."""

DROPPED_BYTES = 2**28
"""Bytes of a body that is not wanted which are received all the same, so that its caller gets to read why."""

DROP_PAUSE_S = 0.01
"""Seconds without reading after each piece of such a body, so that callers who send them do not keep others waiting."""

FILES_APART = 256
"""Files that a process opens beside its connections, and connections that come in while others are being closed."""

OVER = 64
"""Connections beyond the limit that are told so; further ones are closed without a word."""

Answer = Callable[[dict[str, Any]], Awaitable[None]]


def allow_connections(wanted: int) -> int:
    """Lets this process and its children open the files for so many connections, as far as the system allows.

    Returns:
        How many connections they allow, at least one.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + FILES_APART
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    # of few files, connections get half, since many come in at once
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - FILES_APART, soft // 2))


class Connections:
    """Makes the connections of one process, as uvicorn's `http`, and closes those in excess.

    Args:
        most: The most that are open at the same time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[LimitedConnection] = set()
        # in the order in which they began to wait; nothing is being answered on either
        self._new: dict[LimitedConnection, None] = {}
        self._kept: dict[LimitedConnection, None] = {}

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> "LimitedConnection":
        """Makes the protocol of a connection that comes in."""
        return LimitedConnection(self, config, server_state, app_state, _loop)

    def admit(self, connection: "LimitedConnection") -> bool:
        """Counts a new connection, and closes the oldest that waits if there are too many; whether there is room."""
        self._open.add(connection)
        room = len(self._open) <= self._most
        if not room:
            # one that never sent a whole request goes before one that did
            oldest = next(iter(self._new or self._kept), None)
            if oldest is not None:
                count_refused("too_many")
                self.work(oldest)
                oldest.transport.abort()
                room = True
        self._new[connection] = None
        if len(self._open) > self._most + OVER and not room:
            count_refused("too_many")
            connection.transport.abort()
        return room

    def wait(self, connection: "LimitedConnection") -> None:
        """Notes that nothing is being answered on a connection any more."""
        self._kept[connection] = None

    def work(self, connection: "LimitedConnection") -> None:
        """Notes that a request of a connection is being answered, so that it is not closed for others."""
        self._new.pop(connection, None)
        self._kept.pop(connection, None)

    def leave(self, connection: "LimitedConnection") -> None:
        """Forgets a connection that is closed."""
        self._open.discard(connection)
        self.work(connection)

    def __contains__(self, connection: object) -> bool:
        """Whether a connection is open."""
        return connection in self._open


class TooMuchError(Exception):
    """An address with its headers is larger than any is, or too many requests came at once."""


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 connection, with limits.

    Args:
        connections: All connections of this process.
        config: As uvicorn gives it, like all that follow.
    """

    def __init__(
        self,
        connections: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._connections = connections
        self._timer: asyncio.TimerHandle | None = None
        self._in_by: float | None = None  # by when the head or the body that is coming in has to be there
        self._read_by: float | None = None  # by when the caller has to read on
        self._head, self._headers, self._large = 0, 0, False
        self._began, self._raw, self._body, self._dropped = False, 0, 0, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._in_by = self.loop.time() + HEAD_S
        self._timer = self.loop.call_later(HEAD_S, self._look)
        if not self._connections.admit(self):
            self.app = _say_full

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends every wait."""
        if self._timer is not None:
            self._timer.cancel()
        self._connections.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads a piece of a request, or refuses the request."""
        self._began = False
        super().data_received(data)
        if self._began:
            return
        # a header or trailer without an end never reaches `on_header`, and what frames a body never reaches `on_body`
        self._raw += len(data)
        if self._raw > HEAD_BYTES + 2 * self._body and not self.transport.is_closing():
            self._large = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begins a request."""
        super().on_message_begin()
        self._began = True
        self._head = self._headers = self._raw = self._body = self._dropped = 0
        self._in_by = self.loop.time() + HEAD_S

    def on_url(self, url: bytes) -> None:
        """Takes a part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a whole header."""
        self._headers += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > HEAD_BYTES or self._headers > HEADERS:
            self._large = True
            raise TooMuchError

    def on_headers_complete(self) -> None:
        """Begins to answer the request."""
        if len(self.pipeline) >= PIPELINED:
            self._large = True
            raise TooMuchError
        self._in_by = self.loop.time() + BODY_S
        self._connections.work(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Takes or drops a part of the body."""
        self._body += len(body)
        if self.cycle.response_complete:
            self._dropped += len(body)
            if self._dropped > DROPPED_BYTES:
                self.transport.abort()
            elif self.transport.is_reading():
                self.transport.pause_reading()
                self.loop.call_later(DROP_PAUSE_S, self._read_on)
        super().on_body(body)

    def _read_on(self) -> None:
        if not self.transport.is_closing() and not self.flow.read_paused:
            self.transport.resume_reading()

    def on_message_complete(self) -> None:
        """Ends the wait for a request that is all in."""
        self._in_by = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Goes on to the next request, or waits for it."""
        if not self.pipeline and self in self._connections:
            self._connections.wait(self)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Begins to wait for the caller to read."""
        self._read_by = self.loop.time() + ANSWER_S
        super().pause_writing()

    def resume_writing(self) -> None:
        """Ends the wait for the caller to read."""
        self._read_by = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own text
        """Refuses a request that is too large or no HTTP at all, and closes the connection."""
        if self._large:
            sentence = (
                f"there are more than {HEAD_BYTES:,} bytes or {HEADERS} headers, or {PIPELINED} requests wait already"
            )
            count_refused("head_too_large")
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large", sentence)
        else:
            count_refused("no_http")
            self._refuse(HTTPStatus.BAD_REQUEST, "no_http", "this is no HTTP/1.1 request")

    def _look(self) -> None:
        """Looks whether something is overdue, and when to look again."""
        now = self.loop.time()
        if self.transport.is_closing():
            self._read_by = self._read_by or now + ANSWER_S  # what is left of the answer is being sent
        elif self._in_by is not None and self.flow.read_paused:
            self._in_by = now + BODY_S  # it is we who do not read
        elif self._in_by is not None and self._in_by <= now:
            count_refused("too_slow")
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "too_slow", "the request was not all in, in time; send it again")
        if self._read_by is not None and self._read_by <= now:
            count_refused("not_read")
            self.transport.abort()
            return
        due = [moment for moment in (self._in_by, self._read_by) if moment is not None and moment > now]
        self._timer = self.loop.call_at(min([now + HEAD_S, *due]), self._look)

    def _refuse(self, status: HTTPStatus, rule: str, sentence: str) -> None:
        """Answers, unless an answer has begun, and closes the connection."""
        cycle = self.cycle
        if not self.pipeline and (cycle is None or cycle.response_complete or not cycle.response_started):
            self.transport.write(_problem_bytes(status, rule, sentence))
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # whoever waits for the body learns that there is nobody left to answer
            cycle.message_event.set()
        self.transport.close()


def _problem(status: HTTPStatus, rule: str, sentence: str) -> bytes:
    content = {"type": f"urn:regroup:problem:{rule}", "title": status.phrase, "status": status, "detail": sentence}
    return json.dumps(content | {"rule": rule}).encode()


def _problem_bytes(status: HTTPStatus, rule: str, sentence: str) -> bytes:
    """A whole answer with a problem document, as `serving.api.problems` makes them, after which nothing follows."""
    body = _problem(status, rule, sentence)
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: application/problem+json",
        f"content-length: {len(body)}",
        "connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


async def _say_full(_scope: dict[str, Any], _receive: object, send: Answer) -> None:
    """Answers a request on a connection for which there is no room."""
    body = _problem(HTTPStatus.SERVICE_UNAVAILABLE, "no_room", "too many connections are open; ask again in a second")
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
