"""`/board/insight`: what lies behind what was to be expected, as funnel plots and tables."""

from typing import Any

from fastapi import APIRouter, Request, Response

from features.roster import Team
from serving.api.dependencies import CurrentAuditor, CurrentCaller, CurrentPlanner
from serving.api.middleware.authenticate import BOARD
from serving.board.day.page import TeamQuery, day_address
from serving.board.pages import render
from serving.board.route import MAY_USE_BOARD, BoardRoute
from serving.models.insight.comparison import ALARM, LEAST_STUDENTS, WARN, Comparison
from serving.plans.practice.insight.digest import write_digest
from serving.plans.practice.insight.parts import ITEM_WEEKS, WEEKS, Part, make_insight

router = APIRouter(prefix=BOARD, route_class=BoardRoute, include_in_schema=False, dependencies=[MAY_USE_BOARD])

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 320, 60, 40
"""Of the plot, in its own units, and the margins for its axes."""

FEWEST_POINTS = 2
"""Points from which on a plot says more than its table."""

MOST_ROWS = 30
"""Rows of a table; of items there may be thousands, and those in the middle say nothing."""

EVEN = 4
"""Answers that could go either way, by what they say in logits; of these a logit is 25 of 100."""

STEPS = 40
"""Points by which the curve of a limit is drawn."""


@router.get("/insight")
def show_insight(
    request: Request, team_id: TeamQuery, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> Response:
    """Skills, units, items, blocks, products and kinds of session beside what was to be expected; nobody is named."""
    auditor.note("read_insight", team_id=team_id)
    insight = make_insight(planner, caller, team_id)
    return render(
        request,
        "insight.html",
        team=insight.team,
        day=None,
        day_address=day_address,
        parts=[_describe(part, insight.team) for part in insight.parts],
        contrasts=insight.contrasts,
        least=LEAST_STUDENTS,
        weeks=WEEKS,
        item_weeks=ITEM_WEEKS,
        as_of=insight.until,
    )


@router.get("/digest")
def show_digest(
    request: Request, team_id: TeamQuery, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> Response:
    """The week on one page, to read together or to send."""
    auditor.note("read_digest", team_id=team_id)
    digest = write_digest(planner, caller, team_id)
    return render(request, "digest.html", team=digest.team, day=None, day_address=day_address, digest=digest)


def _describe(part: Part, team: Team) -> dict[str, Any]:
    """One funnel with its table."""
    funnel = part.funnel
    shown = funnel.compared if len(funnel.compared) <= MOST_ROWS else _pick_far(funnel.compared)
    return {
        "kind": part.kind,
        "rows": [
            {
                "name": part.name(each),
                "students": each.students,
                "answers": each.answers,
                "points": round(each.points),
                "words": _judge(each, part),
                "unit": each.key in team.focus,
            }
            for each in shown
        ],
        "plot": _draw(part, shown) if len(shown) >= FEWEST_POINTS else None,
        "too_few": funnel.too_few,
        "between": len(funnel.compared) - len(shown),
    }


def _pick_far(compared: tuple[Comparison, ...]) -> tuple[Comparison, ...]:
    """The rows furthest behind and furthest ahead."""
    return (*compared[: MOST_ROWS // 2], *compared[-(MOST_ROWS // 2) :])


def _judge(each: Comparison, part: Part) -> str:
    """What a distance from the center says; of kinds of session nothing, since who is in them was chosen."""
    if part.kind == "session kind":
        return "who was in them was chosen; see below"
    if each in part.named:
        return "behind: look at it together"
    side = "behind" if each.deviations < 0 else "ahead"
    if abs(each.deviations) > ALARM:
        return f"far {side} by these answers"
    return f"perhaps {side}; watch it" if abs(each.deviations) > WARN else "as expected, within chance"


def _draw(part: Part, shown: tuple[Comparison, ...]) -> dict[str, Any]:
    """Points and limits of the plot, in its own units; across is what the answers say."""
    funnel = part.funnel
    most = max(each.information for each in shown) * 1.05
    least = min(each.information for each in shown) * 0.9
    reach = [abs(each.difference) for each in shown]
    high = 1.1 * max(*reach, funnel.limit(least, ALARM) / 2)

    def x(information: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 10) * (information - least) / (most - least), 1)

    def y(difference: float) -> float:
        kept = min(high, max(-high, difference))
        return round((HEIGHT - BOTTOM) / 2 * (1 - kept / high) + 5, 1)

    counts = [least + (most - least) * at / STEPS for at in range(STEPS + 1)]
    ticks = sorted({round(EVEN * known) for known in (least, (least + most) / 2, most / 1.05)})
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "base": HEIGHT - BOTTOM + 5,
        "center": y(0.0),
        "limits": [
            (kind, " ".join(f"{x(known)},{y(sign * funnel.limit(known, z))}" for known in counts))
            for kind, z in (("warn", WARN), ("alarm", ALARM))
            for sign in (1, -1)
        ],
        "points": [
            (x(each.information), y(each.difference), abs(each.deviations) > ALARM or each in part.named, at)
            for at, each in enumerate(shown, start=1)
        ],
        "ticks": [(x(count / EVEN), count) for count in ticks],
        "heights": [(y(share * high), f"{100 * share * high / EVEN:+.0f}") for share in (-0.8, -0.4, 0.4, 0.8)],
    }
