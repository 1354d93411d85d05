"""The id of the request that is being answered: the caller's own, or one made here."""

import re
import uuid
from contextvars import ContextVar

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id in every thread that works for the request; None outside of requests."""

PATTERN = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
"""The form that an id of the caller's must have, since it goes into logs and headers."""


def choose_request_id(sent: str | None) -> str:
    """The id that the caller sent if it has the right form, else a new one.

    Example:
        >>> choose_request_id("plan-2026-03-16.7")
        'plan-2026-03-16.7'
    """
    return sent if sent is not None and PATTERN.fullmatch(sent) else uuid.uuid4().hex
