"""`/v1/teams`, `/v1/staff`, `/v1/blocks`, `/v1/skills`: what a program has to know before it asks for a plan."""

from contextlib import suppress
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from serving.access.caller import Scope
from serving.access.visibility import require_team
from serving.api.dependencies import CurrentCaller, CurrentDatabase, CurrentPlanner, require_scope
from serving.api.etags import ETAG_RESPONSES, IfNoneMatch, TaggedBody
from serving.api.gated_route import GatedRoute
from serving.api.problems import problem_responses
from serving.errors import NotReadyError
from serving.schemas.school import (
    BlockPage,
    BlockRow,
    SkillPage,
    SkillRow,
    StaffPage,
    StaffRow,
    TeamPage,
    TeamRow,
)
from serving.schemas.texts import Address, Identity
from serving.store.roster_lists import ListQuery, page_blocks, page_skills, page_staff, page_teams

router = APIRouter(
    prefix="/v1",
    route_class=GatedRoute,
    tags=["roster"],
    dependencies=[require_scope(Scope.READ)],
    responses=problem_responses(503) | ETAG_RESPONSES,
)


async def get_query(
    caller: CurrentCaller,
    limit: Annotated[int, Query(ge=1, le=100, description="most rows on a page", examples=[20])] = 20,
    cursor: Annotated[
        Address | None, Query(description="`next_cursor` of the page before; the first page without it")
    ] = None,
) -> ListQuery:
    """What of a list is asked for, and how much of it the caller may know."""
    return ListQuery(caller.schools, caller.teams, limit=limit, cursor=cursor)


Asked = Annotated[ListQuery, Depends(get_query)]


def get_team_query(
    caller: CurrentCaller,
    database: CurrentDatabase,
    asked: Asked,
    team_id: Annotated[
        Identity | None, Query(description="only those of this team; of all teams without it", examples=["team-1"])
    ] = None,
) -> ListQuery:
    """The query for one team, if one is named; a team of others is answered like one that does not exist."""
    if team_id is None:
        return asked
    require_team(database, caller, team_id)
    return replace(asked, team_id=team_id)


AskedOfTeam = Annotated[ListQuery, Depends(get_team_query)]


@router.get("/teams", response_model=TeamPage)
def read_teams(database: CurrentDatabase, asked: Asked, if_none_match: IfNoneMatch = None) -> Response:
    """Lists the teams of the roster, page by page."""
    page = page_teams(database, asked)
    return _respond(TeamPage(teams=[TeamRow(**row) for row in page.rows], next_cursor=page.next_cursor), if_none_match)


@router.get("/staff", response_model=StaffPage, responses=problem_responses(404))
def read_staff(database: CurrentDatabase, asked: AskedOfTeam, if_none_match: IfNoneMatch = None) -> Response:
    """Lists the adults of the teams, page by page; who is in several teams comes once for each."""
    page = page_staff(database, asked)
    return _respond(
        StaffPage(staff=[StaffRow(**row) for row in page.rows], next_cursor=page.next_cursor), if_none_match
    )


@router.get("/blocks", response_model=BlockPage, responses=problem_responses(404))
def read_blocks(database: CurrentDatabase, asked: AskedOfTeam, if_none_match: IfNoneMatch = None) -> Response:
    """Lists the weekly blocks of the teams, page by page."""
    page = page_blocks(database, asked)
    rows = [BlockRow(**row) for row in page.rows]
    return _respond(BlockPage(blocks=rows, next_cursor=page.next_cursor), if_none_match)


@router.get("/skills", response_model=SkillPage)
def read_skills(planner: CurrentPlanner, asked: Asked, if_none_match: IfNoneMatch = None) -> Response:
    """Lists the skills that the roster names and those that students practice, of all schools alike, page by page."""
    practiced: frozenset[str] = frozenset()
    with suppress(NotReadyError):  # there are no profiles yet
        practiced = planner.served().skill_ids
    page = page_skills(planner.database, practiced, asked)
    return _respond(
        SkillPage(skills=[SkillRow(**row) for row in page.rows], next_cursor=page.next_cursor), if_none_match
    )


def _respond(page: BaseModel, if_none_match: str | None) -> Response:
    return TaggedBody.of(page.model_dump_json()).respond(if_none_match)
