"""An edited plan judged, with its smallest repair."""

from dataclasses import replace

from serving.grouping.changes.evaluation import Evaluation, evaluate_edit
from serving.grouping.changes.moves import find_moves
from serving.grouping.changes.price import price_change
from serving.grouping.changes.repair import Repair, repair_plan
from serving.grouping.errors import InfeasibleError
from serving.grouping.objective import score_plan
from serving.grouping.plan import Score, Session
from serving.grouping.problem import Problem

MOST_PRICED = 200
"""Moved seats beyond which none has a price of its own: each takes about as long as judging the whole plan."""


def judge_edit(
    problem: Problem, edited: tuple[Session, ...], suggested: tuple[Session, ...], *, repair: bool
) -> tuple[Evaluation, Score, Repair | None]:
    """The judgement, the score, and the repair where rules are broken and one is found.

    Args:
        problem: The day.
        edited: Sessions whose ids are known, each with students.
        suggested: The plan before it was edited.
        repair: Whether to look for a repair.
    """
    moves = find_moves(problem, suggested, edited)
    judged = evaluate_edit(problem, edited, suggested if len(moves) <= MOST_PRICED else None)
    score = judged.score or score_plan(problem, edited)
    if len(moves) > MOST_PRICED:
        judged = replace(judged, price=price_change(score_plan(problem, suggested), score), moves=moves)
    mended = None
    if repair and judged.violations:
        try:
            mended = repair_plan(problem, edited)
        except InfeasibleError:
            mended = None  # the day has a plan, the one suggested; the search found none near the edited one
    return judged, score, mended
