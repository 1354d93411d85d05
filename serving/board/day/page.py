"""`/board` and `/board/day`: the teams, and a team's day as it is planned."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from features.roster import Team
from features.roster.records import WEEKDAYS
from serving.access.caller import Scope
from serving.access.visibility import find_roster
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentDatabase, CurrentPlanner
from serving.api.middleware.authenticate import BOARD
from serving.api.names import CurrentNames
from serving.board.day.data_state import describe_age, describe_night
from serving.board.day.said import describe_last
from serving.board.day.view import (
    describe_move,
    describe_violation,
    list_absent,
    list_reached,
    list_without_adult,
    view_blocks,
)
from serving.board.pages import render
from serving.board.route import MAY_USE_BOARD, BoardRoute
from serving.board.words import Names, describe_impact, speak_plainly
from serving.errors import NotReadyError
from serving.grouping import find_moves
from serving.plans.edits.edited_day import EditedDay, open_edit
from serving.plans.recommend import Planner
from serving.plans.stored_plan import judge_edit, read_current, require_plan
from serving.schemas.common import SchoolDate
from serving.schemas.recommendations import Absence, RecommendationRequest
from serving.schemas.texts import Identity
from serving.store.recommendations import find_current_plan
from serving.store.roster_lists import ListQuery, page_teams

router = APIRouter(prefix=BOARD, route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD])

TeamQuery = Annotated[Identity, Query(alias="team_id")]
DayQuery = Annotated[SchoolDate | None, Query(alias="date")]


def day_address(team_id: str, day: dt.date | None, more: str = "") -> str:
    """The address of a team's day; null: of today."""
    date = "" if day is None else f"&date={day}"
    return f"{BOARD}/day?team_id={quote(team_id, safe='')}{date}{more}"


@router.get("")
def list_teams(request: Request, caller: CurrentCaller, database: CurrentDatabase) -> Response:
    """The teams that the caller may see; of a single one, its day."""
    page = page_teams(database, ListQuery(caller.schools, caller.teams, limit=100))
    if len(page.rows) == 1:
        return RedirectResponse(day_address(page.rows[0]["team_id"], None), status_code=HTTPStatus.SEE_OTHER)
    return render(request, "teams.html", teams=page.rows)


@dataclass(frozen=True)
class DayPage:
    """Opens plans and renders the page of a day; for a read and for what could not be done.

    Attributes:
        request: What it answers.
        caller: Who asks.
        auditor: Notes what is shown.
        planner: What serves.
        names: Display names.
    """

    request: Request
    caller: CurrentCaller
    auditor: CurrentAuditor
    planner: CurrentPlanner
    names: CurrentNames

    def open(self, recommendation_id: str) -> tuple[EditedDay, Names]:
        """A plan as it is now, with the names of its people; whoever shows it notes it."""
        edited = open_edit(self.planner.database, self.caller, recommendation_id)
        team, _ = find_roster(self.planner.rosters, self.caller, edited.day.answer.team_id)
        return edited, Names.of(self.names.of_team(team))

    def respond(
        self,
        team_id: str,
        day: dt.date | None,
        *,
        done: int | None = None,
        undone: bool = False,
        problem: str | None = None,
        status: int = 200,
    ) -> Response:
        """The page.

        Args:
            team_id: The team.
            day: The day; null: today, or the next one with blocks.
            done: The version of the edit that the last step made, to say what it did.
            undone: Whether that step took another back.
            problem: What could not be done; null: nothing.
            status: The HTTP status.

        Raises:
            NotFoundError: There is no such team, or none that the caller may know of.
            NotReadyError: No roster is loaded.
            DatabaseAwayError: The database cannot be used.
        """
        team, _ = find_roster(self.planner.rosters, self.caller, team_id)
        day = day or next_day(team, dt.date.today(), 1, include=True)  # noqa: DTZ011 - the school's own day
        plan_id = find_current_plan(self.planner.database, team_id, day)
        values = _describe_day(team, day, self.planner) | {"problem": problem}
        if plan_id is None:
            return render(self.request, "no_plan.html", status=status, **values)
        edited = open_edit(self.planner.database, self.caller, plan_id)
        self.auditor.note("read_recommendation", team_id=team_id, subject=plan_id)
        names = Names.of(self.names.of_team(team))
        values |= _describe_plan(edited, team.on(day), names, done, undone=undone)
        values["may_sign"] = Scope.SIGN in self.caller.scopes
        values |= self._judge(edited, names) | {"since": self._compare(edited, names)}
        return render(self.request, "day.html", status=status, **values)

    def _compare(self, edited: EditedDay, names: Names) -> list[str]:
        """The seats that differ from the plan that this one was made from, while it is not decided on."""
        previous = edited.day.answer.previous
        if previous is None or edited.decision is not None:
            return []
        before = read_current(require_plan(self.planner.database, self.caller, previous))
        moves = find_moves(edited.day.problem, before, edited.day.suggested)
        return [describe_move(move, edited, names) for move in moves]

    def _judge(self, edited: EditedDay, names: Names) -> dict[str, Any]:
        """Broken rules and what the changes do; nothing where nothing was changed. A repair is looked for apart."""
        if not edited.is_changed:
            return {"violations": [], "impact": None, "changes": []}
        day = edited.day
        evaluation, _, _ = judge_edit(day.problem, edited.sessions, day.suggested, repair=False, singly=False)
        self.auditor.note("evaluate", team_id=day.answer.team_id, subject=day.answer.id)
        met = next((term.value for term in day.answer.terms if term.name == "benefit"), 0.0)
        return {
            "violations": [describe_violation(broken.sentence, edited, names) for broken in evaluation.violations],
            "impact": describe_impact(evaluation.score_impact, met),
            "changes": [describe_move(move, edited, names) for move in evaluation.moves],
        }


CurrentDayPage = Annotated[DayPage, Depends(DayPage)]


@router.get("/day")
def show_day(
    page: CurrentDayPage,
    team_id: TeamQuery,
    day: DayQuery = None,
    done: Annotated[int | None, Query(ge=0)] = None,
    undone: Annotated[bool, Query()] = False,
) -> Response:
    """A team's day."""
    return page.respond(team_id, day, done=done, undone=undone)


def next_day(team: Team, day: dt.date, step: int, *, include: bool = False) -> dt.date:
    """The next or last day with blocks and school; the neighbor where a month has none."""
    weekdays = {WEEKDAYS.index(block.weekday) for block in team.blocks}
    for ahead in range(0 if include else 1, 32):
        found = day + dt.timedelta(days=step * ahead)
        if found.weekday() in weekdays and team.has_school(found):
            return found
    return day if include else day + dt.timedelta(days=step)


def _describe_day(team: Team, day: dt.date, planner: Planner) -> dict[str, Any]:
    """What the page of a day shows with or without a plan."""
    no_model, as_of, streak = None, None, None
    try:
        served = planner.served()
        as_of, streak = served.data_as_of, served.struggle.thresholds.streak
    except NotReadyError as error:
        no_model = str(error)
    has_blocks = any(WEEKDAYS.index(block.weekday) == day.weekday() for block in team.blocks)
    return {
        "team": team,
        "day": day,
        "before": next_day(team, day, -1),
        "after": next_day(team, day, 1),
        "day_address": day_address,
        "has_school": team.has_school(day),
        "has_blocks": has_blocks,
        "no_model": no_model,
        "streak": streak,
        "age": describe_age(as_of, day),
        "night": describe_night(planner.settings.home),
    }


def _describe_plan(edited: EditedDay, team: Team, names: Names, done: int | None, *, undone: bool) -> dict[str, Any]:
    """What the page shows of a plan."""
    answer = edited.day.answer
    last = edited.steps[-1] if edited.steps and done == edited.version and not undone else None
    news = None
    if last is not None and last.student_id is not None and last.block_id is not None:
        news = last.student_id, last.block_id
    away, adults_away, joined = list_absent(edited, team.members, [adult.staff_id for adult in team.staff])
    return {
        "answer": answer,
        "edited": edited,
        "names": names,
        "blocks": view_blocks(edited, names, news),
        "said": "The last step is undone." if undone else describe_last(edited, names, done),
        "reached": list_reached(answer.terms),
        "without": _by_name(list_without_adult(edited), names.students),
        "plain": speak_plainly,
        "age": describe_age(answer.provenance.data_as_of, answer.date),
        "away": _by_name(away, names.students),
        "joined": _by_name(joined, names.students),
        "adults_away": _by_name(adults_away, names.staff),
        "students": _by_name(team.members, names.students),
        "partly": [_describe_partly(each, edited, names) for each in list_partly_away(edited)],
        "adults": _by_name([adult.staff_id for adult in team.staff], names.staff),
    }


def list_partly_away(edited: EditedDay) -> list[Absence]:
    """Absences of some blocks that the plan was asked for with."""
    before = RecommendationRequest.model_validate_json(edited.request)
    return [absence for absence in before.absences if absence.block_ids is not None]


def _describe_partly(absence: Absence, edited: EditedDay, names: Names) -> str:
    times = {block.id: block.label for block in edited.day.problem.blocks}
    missed = ", ".join(times[block] for block in absence.block_ids or () if block in times)
    who = names.student(absence.student_id) if absence.student_id else names.adult(absence.staff_id or "")
    return f"{who}, not at {missed}"


def _by_name(ids: Sequence[str], names: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a mapping
    return sorted(((one, names.get(one, one)) for one in ids), key=lambda pair: pair[1].casefold())
