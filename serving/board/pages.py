"""Renders the board's pages from their templates, under a policy that lets a browser run only our own scripts."""

import secrets
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from serving.api.middleware.authenticate import BOARD

POLICY = (
    "default-src 'self'; script-src 'nonce-{nonce}'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types htmx"
)
"""Content Security Policy: nothing from elsewhere, nothing inline, nothing evaluated, in no other page."""

HEADERS = {
    "Cache-Control": "no-store",  # names of children stay in no cache
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

TEMPLATES = Environment(
    loader=PackageLoader("serving.board"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
TEMPLATES.filters["day"] = lambda day: f"{day:%A} {day.day} {day:%B %Y}"
TEMPLATES.filters["short_day"] = lambda day: f"{day:%a} {day.day} {day:%b}"


def render(
    request: Request,
    template: str,
    *,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    **values: Any,  # noqa: ANN401 - what the template shows
) -> HTMLResponse:
    """A page.

    Args:
        request: What it answers.
        template: Name of the template.
        status: The HTTP status.
        headers: Headers beside those of every page.
        values: What the template shows.
    """
    nonce = secrets.token_urlsafe(16)
    who = getattr(request.state, "signed_in", None)
    text = TEMPLATES.get_template(template).render(board=BOARD, nonce=nonce, who=who, today=date.today(), **values)  # noqa: DTZ011 - the school's own day
    return HTMLResponse(
        text,
        status_code=status,
        headers={**HEADERS, **(headers or {}), "Content-Security-Policy": POLICY.format(nonce=nonce)},
    )


def render_error(
    request: Request,
    status: int,
    rule: str,
    sentence: str,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The page for an error: what is, and what to do."""
    title, advice = ADVICE.get(rule) or ADVICE_BY_STATUS.get(HTTPStatus(status)) or (HTTPStatus(status).phrase, "")
    kept = {name: value for name, value in (headers or {}).items() if name == "Retry-After"}
    return render(
        request,
        "error.html",
        status=status,
        headers=kept,
        title=title,
        sentence=sentence,
        advice=advice,
        more=more or {},
    )


ADVICE = {
    "no_roster": ("No roster yet", "Whoever runs regroup has to load the roster first."),
    "no_model": ("No model yet", "The first night has not run. Plans can be made from the morning after it."),
    "database_away": (
        "The database does not answer",
        "Nothing is lost. Wait a minute and open the page again; if it stays, tell whoever runs regroup.",
    ),
    "scope_missing": ("Not for this key", "This key does not open the board. Ask for a link to it."),
    "queue_full": ("Many plans are being made", "Wait a few seconds and try again."),
}
"""A title and what to do, by the rule of an error."""

ADVICE_BY_STATUS = {
    HTTPStatus.NOT_FOUND: ("Not found", "It may be another school's, or gone. Go back to your teams."),
    HTTPStatus.FORBIDDEN: ("Refused", "Open the board again and repeat it there."),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("That does not work", "Go back and change it."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Not now", "Wait a minute and open the page again."),
}
