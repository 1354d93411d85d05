"""Asks a hub, and asks again where an answer is broken, late or refused for now.

A request is asked five times at most, as long apart as the hub says or as patience grows. Nothing that a hub answers is
repeated in a message or a log: it names students.
"""

import base64
import http.client
import json
import logging
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from features.errors import HubError, InputError
from features.roster.hub.settings import Hub
from features.roster.hub.signing import SAFE, sign

TRIES = 5
"""Times that one request is asked."""

FIRST_WAIT = 1.0
"""Seconds before the second try; each further wait is twice as long."""

LONGEST_WAIT, MOST_WAITING = 600.0, 1800.0
"""Seconds of one wait, and of all waits while a roster is read."""

LARGEST = 1 << 28
"""Bytes of one answer."""

CHUNK = 1 << 16

NEXT = re.compile(r"""rel\s*=\s*["']?next\b""", re.IGNORECASE)
"""A `Link` to the page after this one."""

PASSING = frozenset({
    HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT,
})  # fmt: skip
"""Refusals that may pass."""

logger = logging.getLogger(__name__)


class RefusedError(InputError):
    """The hub refuses a request for good.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        """Keeps the status beside the message."""
        super().__init__(message)
        self.status = status


class _PassingError(Exception):
    """An answer that may be better the next time."""

    def __init__(self, what: str, after: float | None = None) -> None:
        super().__init__(what)
        self.after = after


@dataclass(frozen=True)
class Answer:
    """What a hub answered.

    Attributes:
        body: What was read of its JSON.
        total: How many records the whole list has, where the hub counts them.
        more: Whether the hub says that there is a page after this one.
    """

    body: Any
    total: int | None
    more: bool


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: credentials are for the address that was given."""

    def redirect_request(self, *_: object) -> None:
        return None


class Client:
    """Asks one hub.

    Attributes:
        hub: The hub.
        plain: Whether it takes small pages without an order only, as a first refusal shows.
    """

    def __init__(self, hub: Hub, wait: Callable[[float], None] = time.sleep) -> None:
        """Asks nothing yet; `wait` waits for some seconds."""
        self.hub = hub
        self.plain = False
        self._wait = wait
        self._waited = 0.0
        self._token = hub.token
        self._renewed = False
        self._opener = urllib.request.build_opener(_NoRedirects)

    def get(self, path: str, read: Callable[[Any], Any], **query: object) -> Answer:
        """What the hub answers to `GET base/path?query`.

        Args:
            path: Below the address of the lists.
            read: Makes something of the JSON of the answer, null where it has none; raises ValueError with what is
                wrong in it.
            query: The parameters.

        Raises:
            HubError: It did not answer, however often it was asked.
            RefusedError: It refuses.
        """
        url = f"{self.hub.base}/{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe=SAFE)
        return self._ask(url, f"{self.hub.base}/{path.partition('/')[0]}", read)

    def _ask(
        self, url: str, name: str, read: Callable[[Any], Any], form: bytes | None = None, header: str | None = None
    ) -> Answer:
        for tried in range(TRIES):
            try:
                authorization = header or self._authorize(url)
                headers = {"Authorization": authorization, "Accept": "application/json", "User-Agent": "regroup"}
                return self._open(urllib.request.Request(url, form, headers), name, read)  # noqa: S310 - see settings
            except _PassingError as passing:
                logger.info("hub: %s %s (try %d of %d)", name, passing, tried + 1, TRIES)
                if tried + 1 == TRIES:
                    raise HubError(f"{name} {passing}, {TRIES} times; nothing was changed; try again later") from None
                self._pause(name, FIRST_WAIT * 2**tried if passing.after is None else passing.after)
        raise AssertionError

    def _pause(self, name: str, seconds: float) -> None:
        self._waited += seconds
        if seconds > LONGEST_WAIT or self._waited > MOST_WAITING:
            raise HubError(f"{name} asks to wait for {seconds:.0f} s; nothing was changed; try again later")
        self._wait(seconds)

    def _authorize(self, url: str) -> str:
        hub = self.hub
        if self._token is None and hub.token_url is None:
            return sign(url, hub.client_id or "", hub.client_secret or "")
        if self._token is None:
            self._token = self._fetch_token(hub.token_url or "")
        return f"Bearer {self._token}"

    def _fetch_token(self, url: str) -> str:
        form = {"grant_type": "client_credentials"} | ({"scope": self.hub.scope} if self.hub.scope else {})
        user, password = self.hub.client_id or "", self.hub.client_secret or ""
        basic = base64.b64encode(f"{quote(user, SAFE)}:{quote(password, SAFE)}".encode()).decode()
        try:
            return str(self._ask(url, url, _read_token, urlencode(form).encode(), f"Basic {basic}").body)
        except RefusedError as error:  # some read credentials in the form alone
            if error.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
                raise
            form |= {"client_id": user, "client_secret": password}
            return str(self._ask(url, url, _read_token, urlencode(form).encode(), f"Basic {basic}").body)

    def _open(self, request: urllib.request.Request, name: str, read: Callable[[Any], Any]) -> Answer:
        ends = time.monotonic() + self.hub.timeout
        try:
            with self._opener.open(request, timeout=self.hub.timeout) as response:
                data = _read(response, ends)
                headers = response.headers
        except urllib.error.HTTPError as error:
            error.close()
            raise self._explain(error.code, error.headers, name) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            late = isinstance(reason, TimeoutError)
            what = f"did not answer within {self.hub.timeout:g} s" if late else f"broke off ({type(reason).__name__})"
            raise _PassingError(what) from None
        try:
            body = json.loads(data) if data.strip() else None
        except (ValueError, RecursionError):
            raise _PassingError("answered with broken JSON") from None
        try:
            found = read(body)
        except ValueError as error:
            raise _PassingError(f"answered with {error}") from None
        count = (headers.get("X-Total-Count") or "").strip()
        total = int(count) if count.isascii() and count.isdigit() else None
        self._renewed = False
        return Answer(found, total, NEXT.search(headers.get("Link") or "") is not None)

    def _explain(self, status: int, headers: Message, name: str) -> Exception:
        """The error of a refusal; that of a token that has run out passes once."""
        if status in PASSING:
            return _PassingError(f"answered {status}", _read_wait(headers.get("Retry-After")))
        may_renew = self.hub.token is None and self.hub.token_url not in {None, name}
        if status == HTTPStatus.UNAUTHORIZED and may_renew and not self._renewed:
            self._token, self._renewed = None, True
            return _PassingError("answered 401", 0)
        why = {
            HTTPStatus.UNAUTHORIZED: "who asks is not known; check the credentials",
            HTTPStatus.FORBIDDEN: "who asks may not read it; ask the hub's administrator for the right",
            HTTPStatus.NOT_FOUND: "there is no such list; check the address, version and base_path",
        }.get(HTTPStatus(status) if status in set(HTTPStatus) else HTTPStatus.OK, "check the address and settings")
        if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
            why = "it lies elsewhere; write the address where it does, which no redirect leads to"
        return RefusedError(f"{name} answered {status}: {why}; nothing was changed", status)


def _read(response: Any, ends: float) -> bytes:  # noqa: ANN401 - what an opener gives, which no stub says
    """The body; a hub that trickles runs out of time too."""
    parts, size = [], 0
    while part := response.read1(CHUNK):
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise InputError(f"one answer of the hub has more than {LARGEST >> 20} MB; set a smaller page_size")
        if time.monotonic() > ends:
            raise TimeoutError
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(parts)


def _read_token(body: object) -> str:
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise ValueError("no access_token")
    return token


def _read_wait(text: str | None) -> float | None:
    """Seconds of a `Retry-After`, which is a number or a moment; null where it is neither."""
    if text is None:
        return None
    try:
        if text.strip().isdigit():
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
