"""Who is signed in: from the cookie of a request to its caller, and to the cookie of the answer."""

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request

from serving.access.caller import ANYBODY, Caller
from serving.access.key_cache import NO_KEY, KeyCache
from serving.access.rate import RateLimit
from serving.access.sessions import LONGEST_S, RENEW_S, BoardSession, read_cookie, read_key_id
from serving.api.middleware.authenticate import BOARD, is_here
from serving.errors import ForbiddenError, UnauthorizedError

COOKIE = "regroup_board"

CSRF_FIELD = "csrf"
"""The field of every form with the token of the session."""

OPEN_TOKEN = "open"  # noqa: S105 - a service that is open to its own machine has no session to protect by a secret


@dataclass(frozen=True)
class SignedIn:
    """Somebody who uses the board.

    Attributes:
        caller: What they may see and do.
        name: What the key is named after, for the page; null in a service without keys.
        csrf_token: What their forms send.
        cookie: The cookie's new text, where it is due; null: the browser keeps what it has.
    """

    caller: Caller
    name: str | None
    csrf_token: str
    cookie: str | None


class Sessions:
    """Signs people in and finds who is.

    Args:
        keys: The cache of API keys.
        rate: Counts the requests of each key.
        open_here: Whether the service answers without keys, and only its own machine.
    """

    def __init__(self, keys: KeyCache, rate: RateLimit, *, open_here: bool) -> None:
        self._keys = keys
        self.rate = rate
        self.open_here = open_here

    def begin(self, key: str) -> SignedIn:
        """Signs in with the text of an API key.

        Raises:
            UnauthorizedError: The key is not valid.
            NotReadyError: The keys were not read for too long.
        """
        caller = self._keys.find(f"Bearer {key}")
        return self._to_signed_in(BoardSession.begin(caller.key_id, time.time()), renew=True)

    def find(self, request: Request) -> SignedIn:
        """Who sent a request.

        Raises:
            UnauthorizedError: Nobody is signed in, the session is over, or its key is valid no longer.
            NotReadyError: The keys were not read for too long.
        """
        if self.open_here:
            if not is_here(request.scope):
                raise UnauthorizedError("not_here", "a service that is open without keys answers its own machine only")
            return SignedIn(ANYBODY, None, OPEN_TOKEN, None)
        cookie = request.cookies.get(COOKIE, "")
        key_id = read_key_id(cookie)
        if key_id is None:
            raise UnauthorizedError("key_missing", NO_KEY)
        session = read_cookie(cookie, self._keys.find_signed_in(key_id)[0].secret_hash)
        now = time.time()
        if session is None or session.is_over(now):
            raise UnauthorizedError("session_over", "the session is over; sign in again")
        due = now - session.seen_at > RENEW_S
        return self._to_signed_in(session.renewed(now) if due else session, renew=due)

    def _to_signed_in(self, session: BoardSession, *, renew: bool) -> SignedIn:
        key, caller = self._keys.find_signed_in(session.key_id)
        cookie = session.to_cookie(key.secret_hash) if renew else None
        return SignedIn(caller, key.name, session.csrf_token(key.secret_hash), cookie)


def require_own_page(request: Request) -> None:
    """Refuses what a page of another site sends.

    Raises:
        ForbiddenError: The browser says that it comes from elsewhere.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    elsewhere = site is not None and site != "same-origin"
    if elsewhere or (origin is not None and urlsplit(origin).netloc != request.headers.get("host")):
        raise ForbiddenError("other_site", "the form was sent from another site; open the board and try again")


def require_own_form(request: Request, form: Mapping[str, Any], who: SignedIn) -> None:
    """Refuses a form that no page of this session sent.

    Raises:
        ForbiddenError: It comes from elsewhere, or lacks the token of the session.
    """
    require_own_page(request)
    if not hmac.compare_digest(str(form.get(CSRF_FIELD, "")).encode(), who.csrf_token.encode()):
        raise ForbiddenError("forged_form", "the form is of another session; open the page again and repeat it")


def cookie_options(request: Request) -> dict[str, Any]:
    """How the cookie is set: no script reads it, no other site sends it, and only TLS carries it where there is TLS."""
    proto = request.headers.get("x-forwarded-proto", request.url.scheme)
    return {"path": BOARD, "httponly": True, "samesite": "strict", "secure": proto == "https", "max_age": LONGEST_S}
