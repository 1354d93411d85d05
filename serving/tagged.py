"""Answers with an ETag: a caller that asks again is told in a few bytes that nothing changed."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi import Header, Response

IfNoneMatch = Annotated[
    str | None, Header(description="ETags that the caller has", examples=['"9f86d081884c7d659a2feaa0c55ad015"'])
]

_TAG = {"ETag": {"description": "changes with the answer", "schema": {"type": "string"}}}

TAGGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": _TAG},
    304: {"description": "The caller has the answer.", "headers": _TAG},
}
"""What the contract says of a route whose answers have ETags."""


@dataclass(frozen=True)
class Tagged:
    """An answer and its ETag.

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
            >>> Tagged.of("{}").tag
            '"44136fa355b3678a1146ad16f7e8649e"'
        """
        held = text.encode()
        return cls(held, f'"{hashlib.sha256(held).hexdigest()[:32]}"')

    def answer(self, if_none_match: str | None) -> Response:
        """200 with the text, or 304 for a caller that has it."""
        had = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
        if had & {self.tag, "*"}:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": self.tag})
        return Response(self.text, media_type="application/json", headers={"ETag": self.tag})
