"""`/board/calendar`: addresses under which calendar programs read an adult's sessions (iCalendar, RFC 5545).

An address is a secret of its own, which can be revoked; it shows names only where whoever made it may see them.
"""

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from serving.access.caller import Caller, Scope
from serving.access.visibility import find_roster
from serving.api.dependencies import Auditor, CurrentPlanner
from serving.api.middleware.authenticate import BOARD
from serving.api.names import NameReader
from serving.board.day.page import CurrentDayPage, DayPage, TeamQuery, day_address
from serving.board.day.view import name_work
from serving.board.pages import HEADERS, render
from serving.board.route import MAY_USE_BOARD, BoardRoute, CurrentForm, FormBody, OpenRoute
from serving.board.words import Names
from serving.errors import NotFoundError, RequestError
from serving.grouping import Session
from serving.plans.edits.edited_day import EditedDay, open_days
from serving.schemas.texts import Identity
from serving.store.calendar_feeds import CalendarFeed, find_feed, list_feeds, revoke_feed, save_feed
from serving.store.recommendations import find_current_plans

open_router = APIRouter(prefix=BOARD, route_class=OpenRoute, include_in_schema=False)
router = APIRouter(prefix=BOARD, route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD])

ADDRESS = re.compile(r"([0-9a-f]{16})_([0-9a-f]{64})\.ics", re.ASCII)

DAYS_BEFORE, DAYS_AHEAD = 1, 14
"""Days before and after today that a calendar has."""

LONGEST_LINE = 74
"""Bytes of a line, of 75 at most; a longer one goes on in the next."""


class FeedForm(FormBody):
    """Whose calendar gets an address."""

    team_id: Identity
    staff_id: Identity


class RevokeForm(FormBody):
    """The address that ends."""

    team_id: Identity
    feed_id: Identity


@router.get("/calendar")
def show_feeds(team_id: TeamQuery, page: CurrentDayPage) -> Response:
    """The adults of a team with the addresses of their calendars, without their secrets."""
    page.auditor.note("list_calendars", team_id=team_id)
    return _render(page, team_id)


@router.post("/calendar")
def make_feed(form: CurrentForm, page: CurrentDayPage) -> Response:
    """Makes an address for one adult, which is shown this once."""
    sent: FeedForm = form.read(FeedForm)
    team, _ = find_roster(page.planner.rosters, page.caller, sent.team_id)
    if sent.staff_id not in {adult.staff_id for adult in team.staff}:
        raise RequestError("unknown_staff", "staff_id: the team has no such adult", field="staff_id")
    feed_id, secret = secrets.token_hex(8), secrets.token_hex(32)
    now = dt.datetime.now(dt.UTC)
    shows = page.names.shows
    feed = CalendarFeed(feed_id, _digest(secret), sent.team_id, sent.staff_id, shows, page.caller.key_id, now)
    save_feed(page.planner.database, feed)
    page.auditor.note("make_calendar", team_id=sent.team_id, subject=feed_id)
    address = f"{str(page.request.base_url).rstrip('/')}{BOARD}/calendar/{feed_id}_{secret}.ics"
    return _render(page, sent.team_id, made=(sent.staff_id, address))


@router.post("/calendar/revocations")
def revoke(form: CurrentForm, page: CurrentDayPage) -> Response:
    """Revokes an address at once."""
    sent: RevokeForm = form.read(RevokeForm)
    find_roster(page.planner.rosters, page.caller, sent.team_id)
    if not revoke_feed(page.planner.database, sent.team_id, sent.feed_id, dt.datetime.now(dt.UTC)):
        raise NotFoundError("not_found", "there is no such address, or it is revoked already")
    page.auditor.note("revoke_calendar", team_id=sent.team_id, subject=sent.feed_id)
    return _render(page, sent.team_id, said="The address is revoked.")


def _render(page: DayPage, team_id: str, *, made: tuple[str, str] | None = None, said: str | None = None) -> Response:
    team, _ = find_roster(page.planner.rosters, page.caller, team_id)
    called = Names.of(page.names.of_team(team))
    feeds = list_feeds(page.planner.database, team_id)
    adults = sorted(((adult.staff_id, called.adult(adult.staff_id)) for adult in team.staff), key=lambda each: each[1])
    return render(
        page.request,
        "calendar.html",
        team=team,
        day=None,
        day_address=day_address,
        adults=[(one, name, [feed for feed in feeds if feed.staff_id == one]) for one, name in adults],
        made=None if made is None else (called.adult(made[0]), made[1]),
        said=said,
    )


@open_router.get("/calendar/{address}")
def read_calendar(request: Request, address: Annotated[str, Path(max_length=100)], planner: CurrentPlanner) -> Response:
    """An adult's sessions for a calendar program that knows the address.

    Raises:
        NotFoundError: There is no such address, or it is revoked, or the adult has left the team.
    """
    found = ADDRESS.fullmatch(address)
    feed = None if found is None else find_feed(planner.database, found[1])
    if found is None or feed is None or not hmac.compare_digest(feed.secret_hash, _digest(found[2])):
        raise NotFoundError("not_found", "there is no calendar under this address")
    scopes = {Scope.BOARD, Scope.NAMES} if feed.names else {Scope.BOARD}
    caller = Caller(feed.feed_id, frozenset(scopes))
    team, _ = find_roster(planner.rosters, caller, feed.team_id)
    if feed.staff_id not in {adult.staff_id for adult in team.staff}:
        raise NotFoundError("not_found", "there is no calendar under this address")
    auditor = Auditor(request.app.state.audit, feed.feed_id, request)
    auditor.note("read_calendar", team_id=feed.team_id, subject=feed.feed_id)
    called = Names.of(NameReader(request.app.state.vault, caller, auditor, planner).of_team(team))
    today = dt.date.today()  # noqa: DTZ011 - the school's own day
    first, last = today - dt.timedelta(days=DAYS_BEFORE), today + dt.timedelta(days=DAYS_AHEAD)
    days = open_days(planner.database, caller, find_current_plans(planner.database, feed.team_id, first, last))
    text = write_calendar(feed.staff_id, days.values(), called)
    return Response(text.encode(), media_type="text/calendar; charset=utf-8", headers=HEADERS)


def write_calendar(staff_id: str, days: Iterable[EditedDay], called: Names) -> str:
    """The text of a calendar with an adult's sessions; days that do not count yet are tentative.

    Times are those of the school's own clock, without a time zone.

    Args:
        staff_id: The adult.
        days: Plans, one for each day.
        called: Names of people; ids where there are none.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//regroup//board//EN", "METHOD:PUBLISH"]
    for edited in days:
        for session in edited.sessions:
            if staff_id in session.adults:
                lines += _list_event(staff_id, session, edited, called)
    return "".join(f"{part}\r\n" for line in (*lines, "END:VCALENDAR") for part in _fold(line))


def _list_event(staff_id: str, session: Session, edited: EditedDay, called: Names) -> Iterator[str]:
    answer = edited.day.answer
    counts = edited.decision is not None and not edited.awaits_signature
    label = next(block.label for block in edited.day.problem.blocks if block.id == session.block)
    begin, _, end = label.partition("-")
    role = "" if session.adults[0] == staff_id else f" with {called.adult(session.adults[0])}"
    title = name_work(session, edited) if session.led else "supervise independent work"
    students = ", ".join(sorted(map(called.student, session.students), key=str.casefold))
    aim = f"Aim: {edited.aims[session.id]}\n" if session.id in edited.aims else ""
    yield "BEGIN:VEVENT"
    yield f"UID:{answer.date}-{session.block}-{staff_id}@regroup".replace(" ", "-")
    yield f"DTSTAMP:{answer.created_at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART:{answer.date:%Y%m%d}T{begin.replace(':', '')}00"
    yield f"DTEND:{answer.date:%Y%m%d}T{end.replace(':', '')}00"
    yield f"SUMMARY:{_escape(f'{title[:1].upper()}{title[1:]}{role}, {len(session.students)} students')}"
    if session.room is not None:
        yield f"LOCATION:{_escape(session.room)}"
    yield f"DESCRIPTION:{_escape(f'{aim}{students}')}"
    yield f"STATUS:{'CONFIRMED' if counts else 'TENTATIVE'}"
    yield "END:VEVENT"


def _escape(text: str) -> str:
    r"""A text as iCalendar writes it.

    Example:
        >>> _escape("Room 2; Mia, Leo\nand Ada")
        'Room 2\\; Mia\\, Leo\\nand Ada'
    """
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return "\\n".join(text.splitlines())


def _fold(line: str) -> Iterator[str]:
    """A line in parts of at most 75 bytes, each but the first with a blank before it; no letter is cut."""
    part = ""
    for letter in line:
        if len((part + letter).encode()) > LONGEST_LINE:
            yield part
            part = " "
        part += letter
    yield part


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
