"""The id of the request that is being answered: the caller's own, or one made here."""

import re
import uuid
from contextvars import ContextVar

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Set while a request is answered, in whatever thread works for it."""

FORM = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
"""What a caller's id may be; it goes into logs and headers."""


def choose_request_id(given: str | None) -> str:
    """The caller's id if it has the form of one, else a new one.

    Example:
        >>> choose_request_id("plan-2026-03-16.7")
        'plan-2026-03-16.7'
    """
    return given if given is not None and FORM.fullmatch(given) else uuid.uuid4().hex
