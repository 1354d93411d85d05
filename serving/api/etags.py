"""Answers with an ETag: a caller that asks again is told in a few bytes that nothing changed."""

import hashlib
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi import Header, Response

IfNoneMatch = Annotated[
    str | None, Header(description="ETags that the caller has", examples=['"9f86d081884c7d659a2feaa0c55ad015"'])
]

STALE = "Regroup-Stale-Seconds"

_TAG = {
    "ETag": {"description": "changes with the answer", "schema": {"type": "string"}},
    STALE: {
        "description": "only while the database is away: seconds since it confirmed what the answer rests on",
        "schema": {"type": "integer"},
    },
}

ETAG_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"headers": _TAG},
    304: {"description": "The caller has the answer.", "headers": _TAG},
}
"""What the contract says of a route whose answers have ETags."""


@dataclass(frozen=True)
class TaggedBody:
    """The body of an answer, and its ETag.

    Attributes:
        text: JSON.
        tag: Of the text, in quotes.
    """

    text: bytes
    tag: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The answer of a JSON text.

        Example:
            >>> TaggedBody.of("{}").tag
            '"44136fa355b3678a1146ad16f7e8649e"'
        """
        held = text.encode()
        return cls(held, f'"{hashlib.sha256(held).hexdigest()[:32]}"')

    def respond(self, if_none_match: str | None, stale_seconds: float | None = None) -> Response:
        """200 with the text, or 304 for a caller that has it; with its age where it is not of this moment."""
        headers = {"ETag": self.tag} | stale_headers(stale_seconds)
        had = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
        if had & {self.tag, "*"}:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(self.text, media_type="application/json", headers=headers)


def stale_headers(stale_seconds: float | None) -> dict[str, str]:
    """The header of an answer that is not of this moment.

    Example:
        >>> stale_headers(1.2)
        {'Regroup-Stale-Seconds': '2'}
    """
    return {} if stale_seconds is None else {STALE: str(math.ceil(stale_seconds))}
