"""`/board/insight`: skills and units in which the team does worse than elsewhere, as funnel plots and tables."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from features.roster import SkillMap, Team
from serving.access.visibility import find_roster
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner
from serving.api.middleware.authenticate import BOARD
from serving.board.day.page import TeamQuery, day_address
from serving.board.pages import render
from serving.board.route import MAY_USE_BOARD, BoardRoute
from serving.models.comparison import (
    ALARM,
    LEAST_STUDENTS,
    WARN,
    Funnel,
    compare_units,
    draw_limits,
    measure_gaps,
)
from serving.plans.problem import skill_name

router = APIRouter(prefix=BOARD, route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD])

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 320, 60, 40
"""Of the plot, in its own units, and the margins for its axes."""

FEWEST_POINTS = 2
"""Points from which on a plot says more than its table."""

STEPS = 40
"""Points by which the curve of a limit is drawn."""


@router.get("/insight")
def show_insight(
    request: Request, team_id: TeamQuery, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> Response:
    """Skills by how far the team's students lie from what they reach elsewhere; nobody is named."""
    served = planner.served()
    team, roster = find_roster(planner.rosters, caller, team_id)
    auditor.note("read_insight", team_id=team_id)
    snapshot = planner.live.restrict(served, team.members, roster.school_students, roster.latest_event)
    gaps = measure_gaps(snapshot, team.members)
    skills = draw_limits(gaps.skill.tolist(), gaps.gap)
    units = compare_units(gaps, _name_units(team, roster.skills, set(gaps.skill.tolist())), skills)
    names = {skill: skill_name(roster.skills, skill) for skill in gaps.skill.tolist()}
    return render(
        request,
        "insight.html",
        team=team,
        day=None,
        day_address=day_address,
        parts=[_describe("Skill", skills, names, team), _describe("Unit", units, {}, team)],
        least=LEAST_STUDENTS,
        as_of=snapshot.data_as_of,
    )


def _name_units(team: Team, skills: SkillMap, practiced: set[str]) -> dict[str, set[str]]:
    """The skills of each unit by its name: the team's current one, those of its series, and subjects by grade.

    What holds all skills that the team practiced, or none, is left out: it has nothing to stand beside.
    """
    units = {"the current unit": set(team.focus)}
    for series in team.series:
        units["series: " + ", ".join(skill_name(skills, skill) for skill in series.skills)] = set(series.skills)
    for skill in skills.skills.values():
        if skill.subject is not None:
            words = skill.subject if skill.grade is None else f"{skill.subject}, grade {skill.grade}"
            units.setdefault(words, set()).add(skill.skill_id)
    return {name: its for name, its in units.items() if its & practiced and practiced - its}


def _describe(kind: str, funnel: Funnel, names: Mapping[str, str], team: Team) -> dict[str, Any]:
    """One funnel with its table."""
    return {
        "kind": kind,
        "rows": [
            {
                "name": names.get(each.key, each.key),
                "students": each.students,
                "points": round(100 * (each.difference - funnel.center)),
                "words": _judge(each.deviations),
                "unit": each.key in team.focus,
            }
            for each in funnel.compared
        ],
        "plot": _draw(funnel) if len(funnel.compared) >= FEWEST_POINTS else None,
        "too_few": funnel.too_few,
    }


def _judge(deviations: float) -> str:
    """What a distance from the center says."""
    side = "behind" if deviations < 0 else "ahead"
    if abs(deviations) > ALARM:
        return f"clearly {side}"
    return f"perhaps {side}; watch it" if abs(deviations) > WARN else "as elsewhere, within chance"


def _draw(funnel: Funnel) -> dict[str, Any]:
    """Points and limits of the plot, in its own units."""
    most = max(each.students for each in funnel.compared) * 1.05
    least = LEAST_STUDENTS * 0.9
    reach = [abs(each.difference - funnel.center) for each in funnel.compared]
    reach.append(funnel.limit(LEAST_STUDENTS, ALARM) - funnel.center)
    high = 1.1 * max(reach)

    def x(students: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 10) * (students - least) / (most - least), 1)

    def y(difference: float) -> float:
        return round((HEIGHT - BOTTOM) / 2 * (1 - (difference - funnel.center) / high) + 5, 1)

    counts = [least + (most - least) * at / STEPS for at in range(STEPS + 1)]
    ticks = sorted({LEAST_STUDENTS, round((LEAST_STUDENTS + most / 1.05) / 2), round(most / 1.05)})
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "base": HEIGHT - BOTTOM + 5,
        "center": y(funnel.center),
        "limits": [
            (
                kind,
                " ".join(
                    f"{x(n)},{y(funnel.center + sign * (funnel.limit(1, z) - funnel.center) / n**0.5)}" for n in counts
                ),
            )
            for kind, z in (("warn", WARN), ("alarm", ALARM))
            for sign in (1, -1)
        ],
        "points": [
            (x(each.students), y(each.difference), abs(each.deviations) > ALARM, at)
            for at, each in enumerate(funnel.compared, start=1)
        ],
        "ticks": [(x(count), count) for count in ticks],
        "heights": [(y(funnel.center + part * high), f"{100 * part * high:+.0f}") for part in (-0.8, -0.4, 0.4, 0.8)],
    }
