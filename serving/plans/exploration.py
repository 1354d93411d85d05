"""Draws a day's plan among about equally good ones, and keeps the probability with which it was drawn.

So that later estimates of other policies are valid (`experiments/workbench/off_policy.py`), and off unless a team says
otherwise: nobody learns from plans that were always the best ones how others would have done.
"""

from dataclasses import dataclass, replace

import numpy as np

from serving.grouping import Budget, Plan, Problem, find_alternatives
from serving.plans.rules.standing_rules import Note

OTHERS = 2
"""Further plans that are looked for beside the best one."""

SHARES = 4
"""Parts of the time of a search, of which one is for the best plan."""


@dataclass(frozen=True)
class Exploration:
    """How a plan was drawn at random.

    Attributes:
        plans: Different plans that it was drawn from, this one included; each was as likely.
        within: Share of the best one's gain over a day online that each of them may lack.
        score_loss: The share that this one lacks.
    """

    plans: int
    within: float
    score_loss: float

    @property
    def probability(self) -> float:
        """The probability with which the plan was drawn."""
        return 1.0 / self.plans

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the plan says of it to its readers."""
        if self.plans == 1:
            return ()
        limit = f"within {self.within:.1%} of the best"
        return (Note(None, (), f"This plan was drawn at random among {self.plans} plans that score {limit}."),)


def explore_plans(problem: Problem, within: float, budget: Budget) -> tuple[Plan, Exploration]:
    """Returns a plan drawn among the best one found and up to `OTHERS` different ones nearly as good, each as likely.

    The draw follows from the seed of the budget and the problem alone.

    Args:
        problem: The day.
        within: Share of the best plan's gain over a day online that another may lack, above 0 to 0.1.
        budget: Rounds or seconds of all searches together, and random seed.

    Raises:
        InfeasibleError: No plan can keep every hard rule, or none was found.
    """
    each = budget if budget.seconds is None else replace(budget, seconds=budget.seconds / SHARES)
    found = find_alternatives(problem, OTHERS, each, max_score_loss=within)
    plans = [found.best, *(other.plan for other in found.others)]
    losses = [0.0, *(other.score_loss for other in found.others)]
    drawn = int(np.random.default_rng([budget.seed, int(problem.digest()[:16], 16)]).integers(len(plans)))
    return plans[drawn], Exploration(len(plans), within, losses[drawn])
