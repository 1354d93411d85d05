"""Suggests a team's sessions for a day: a pure function of frozen dataclasses, without HTTP, tables or a clock.

Everything that other packages use is here. What needs the compiled search is imported when it is first asked for, so
that a problem can be read and a plan checked without waiting for machine code.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from serving.grouping.changes.bottlenecks import Bound, find_bounds
from serving.grouping.changes.difference import Move, Price, find_moves, price_change, read_seats
from serving.grouping.changes.evaluation import Change, Evaluation, evaluate_edit
from serving.grouping.changes.placements import Placements, rank_places
from serving.grouping.errors import BrokenPlanError, Conflict, GroupingError, InfeasibleError, ProblemError
from serving.grouping.problem.history import PastDay, recollect, remember_day
from serving.grouping.problem.people import Adult, Coaching, Contact, GroupmateCount, Need, Student
from serving.grouping.problem.places import Block, Pin, Room, Seat, Skill
from serving.grouping.problem.plan import Plan, Score, Session
from serving.grouping.problem.policy import ADULT_LED, Effect, Role, SessionType, SizeBound, Weights
from serving.grouping.problem.problem import Problem, digest_text, require_sessions
from serving.grouping.rules.check import Violation, find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.weeks.targets import WeekTargets

if TYPE_CHECKING:
    from serving.grouping.changes.alternatives import TRIES, Alternative, Alternatives, find_alternatives
    from serving.grouping.changes.repair import Repair, repair_plan
    from serving.grouping.changes.why_not import WhyNot, ask_why_not
    from serving.grouping.infeasible.diagnosis import Diagnosis, explain_conflict
    from serving.grouping.search.anneal import Budget
    from serving.grouping.solve import suggest_groups, warm_up
    from serving.grouping.weeks.week import Week, plan_week
else:
    _COMPILED = {
        "changes.alternatives": ("TRIES", "Alternative", "Alternatives", "find_alternatives"),
        "changes.repair": ("Repair", "repair_plan"),
        "changes.why_not": ("WhyNot", "ask_why_not"),
        "search.anneal": ("Budget",),
        "infeasible.diagnosis": ("Diagnosis", "explain_conflict"),
        "solve": ("suggest_groups", "warm_up"),
        "weeks.week": ("Week", "plan_week"),
    }

    def __getattr__(name: str) -> object:
        for module, names in _COMPILED.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = (
    "ADULT_LED",
    "TRIES",
    "Adult",
    "Alternative",
    "Alternatives",
    "Block",
    "Bound",
    "BrokenPlanError",
    "Budget",
    "Change",
    "Coaching",
    "Conflict",
    "Contact",
    "Diagnosis",
    "Effect",
    "Evaluation",
    "GroupingError",
    "GroupmateCount",
    "InfeasibleError",
    "Move",
    "Need",
    "PastDay",
    "Pin",
    "Placements",
    "Plan",
    "Price",
    "Problem",
    "ProblemError",
    "Repair",
    "Role",
    "Room",
    "Score",
    "Seat",
    "Session",
    "SessionType",
    "SizeBound",
    "Skill",
    "Student",
    "Violation",
    "Week",
    "WeekTargets",
    "Weights",
    "WhyNot",
    "ask_why_not",
    "digest_text",
    "evaluate_edit",
    "explain_conflict",
    "find_alternatives",
    "find_bounds",
    "find_moves",
    "find_violations",
    "plan_week",
    "price_change",
    "rank_places",
    "read_seats",
    "recollect",
    "remember_day",
    "repair_plan",
    "require_sessions",
    "score_plan",
    "suggest_groups",
    "warm_up",
)  # fmt: skip
