"""Suggests a team's sessions for a day: a pure function of frozen dataclasses, without HTTP or tables.

Everything that other packages use is here. Names that need the compiled search are imported at their first use, so that
a problem can be read and a plan checked without waiting for machine code.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from serving.grouping.changes.bottlenecks import Bottleneck, find_bottlenecks
from serving.grouping.changes.difference import Move, find_moves, read_seats
from serving.grouping.changes.evaluation import Change, Evaluation, evaluate_edit
from serving.grouping.changes.seat_options import SeatOptions, rank_seat_options
from serving.grouping.errors import BrokenPlanError, Conflict, GroupingError, InfeasibleError, ProblemError
from serving.grouping.problem.history import PastDay, recollect, remember_day
from serving.grouping.problem.people import (
    STUDENT,
    Adult,
    Aim,
    Coaching,
    Contact,
    GroupmateCount,
    Need,
    Purpose,
    Student,
    Wish,
)
from serving.grouping.problem.places import Block, Pin, Room, Seat, Skill
from serving.grouping.problem.plan import Plan, Score, Session, Term
from serving.grouping.problem.policy import (
    ADULT_LED,
    DEFAULT_SIZES,
    DEFAULT_STUDENTS_PER_MONITOR,
    GROUPS,
    Effect,
    Role,
    SessionType,
    SizeBound,
    SizeCurve,
    Weights,
)
from serving.grouping.problem.problem import Problem, digest_text, require_sessions
from serving.grouping.rules.check import Violation, find_stage_violations, find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.rules.score_impact import ScoreImpact, measure_impact

if TYPE_CHECKING:
    from serving.grouping.changes.alternatives import ATTEMPTS, Alternative, Alternatives, find_alternatives
    from serving.grouping.changes.repair import Repair, repair_plan
    from serving.grouping.changes.why_not import WhyNot, ask_why_not
    from serving.grouping.infeasible.concessions import SoftConstraint
    from serving.grouping.infeasible.diagnosis import Diagnosis, explain_conflict
    from serving.grouping.infeasible.give_way import give_way
    from serving.grouping.infeasible.relaxations import Relaxation
    from serving.grouping.search.anneal import Budget
    from serving.grouping.solve import suggest_groups, warm_up
else:
    _COMPILED = {
        "changes.alternatives": ("ATTEMPTS", "Alternative", "Alternatives", "find_alternatives"),
        "changes.repair": ("Repair", "repair_plan"),
        "changes.why_not": ("WhyNot", "ask_why_not"),
        "search.anneal": ("Budget",),
        "infeasible.concessions": ("SoftConstraint",),
        "infeasible.diagnosis": ("Diagnosis", "explain_conflict"),
        "infeasible.give_way": ("give_way",),
        "infeasible.relaxations": ("Relaxation",),
        "solve": ("suggest_groups", "warm_up"),
    }

    def __getattr__(name: str) -> object:
        for module, names in _COMPILED.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = (
    "ADULT_LED",
    "ATTEMPTS",
    "DEFAULT_SIZES",
    "DEFAULT_STUDENTS_PER_MONITOR",
    "GROUPS",
    "STUDENT",
    "Adult",
    "Aim",
    "Alternative",
    "Alternatives",
    "Block",
    "Bottleneck",
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
    "Plan",
    "Problem",
    "ProblemError",
    "Purpose",
    "Relaxation",
    "Repair",
    "Role",
    "Room",
    "Score",
    "ScoreImpact",
    "Seat",
    "SeatOptions",
    "Session",
    "SessionType",
    "SizeBound",
    "SizeCurve",
    "Skill",
    "SoftConstraint",
    "Student",
    "Term",
    "Violation",
    "Weights",
    "WhyNot",
    "Wish",
    "ask_why_not",
    "digest_text",
    "evaluate_edit",
    "explain_conflict",
    "find_alternatives",
    "find_bottlenecks",
    "find_moves",
    "find_stage_violations",
    "find_violations",
    "give_way",
    "measure_impact",
    "rank_seat_options",
    "read_seats",
    "recollect",
    "remember_day",
    "repair_plan",
    "require_sessions",
    "score_plan",
    "suggest_groups",
    "warm_up",
)  # fmt: skip
