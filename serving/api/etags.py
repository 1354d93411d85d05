"""Answers with an ETag: a caller that already has the answer gets a few bytes that say so."""

import hashlib
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi import Header, Response

from serving.schemas.texts import Address

IfNoneMatch = Annotated[
    Address | None,
    Header(description="ETags of the answers that the caller has", examples=['"9f86d081884c7d659a2feaa0c55ad015"']),
]

STALE = "Regroup-Stale-Seconds"

_TAG = {
    "ETag": {"description": "a tag that changes with the answer", "schema": {"type": "string"}},
    STALE: {
        "description": "only while the database is away: seconds since it confirmed the data behind the answer",
        "schema": {"type": "integer"},
    },
}

ETAG_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"headers": _TAG},
    304: {"description": "The caller already has this answer.", "headers": _TAG},
}
"""The part of the contract for a route whose answers have ETags."""


@dataclass(frozen=True)
class TaggedBody:
    """The body of an answer, and its ETag.

    Attributes:
        text: JSON, encoded.
        tag: The ETag of the text, in quotes.
    """

    text: bytes
    tag: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The body with a JSON text.

        Example:
            >>> TaggedBody.of("{}").tag
            '"44136fa355b3678a1146ad16f7e8649e"'
        """
        encoded = text.encode()
        return cls(encoded, f'"{hashlib.sha256(encoded).hexdigest()[:32]}"')

    def respond(self, if_none_match: str | None, stale_seconds: float | None = None) -> Response:
        """200 with the text, or 304 for a caller that has it; with its age in seconds where it is stale."""
        headers = {"ETag": self.tag} | stale_headers(stale_seconds)
        known = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
        if known & {self.tag, "*"}:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(self.text, media_type="application/json", headers=headers)


def stale_headers(stale_seconds: float | None) -> dict[str, str]:
    """The header of a stale answer, with whole seconds rounded up; none for null.

    Example:
        >>> stale_headers(1.2)
        {'Regroup-Stale-Seconds': '2'}
    """
    return {} if stale_seconds is None else {STALE: str(math.ceil(stale_seconds))}
