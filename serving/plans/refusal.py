"""Explains a day without a plan to who asked for it: the rules in conflict, and the cheapest way out."""

from collections.abc import Iterable

from serving.errors import NoPlanError
from serving.grouping import InfeasibleError, Problem, explain_conflict
from serving.plans.rules.standing_rules import RuleBook

NODES, QUESTIONS = 1, 10
"""Limits of the exact programs that explain a day without a plan, since a caller waits: nodes of each, and programs."""


def explain_refusal(problem: Problem, rules: RuleBook, error: InfeasibleError, until: float | None) -> NoPlanError:
    """The error of a day without a plan.

    Its text names no student. Its further members do, for a caller who would have got the plan with the students: only
    such a caller may ask for one.

    Args:
        problem: The day.
        rules: Where its fixed assignments and pairs come from.
        error: What the search said.
        until: When to say what is known by then, on the clock of `time.perf_counter`; null: without a clock.
    """
    diagnosis = explain_conflict(problem, error.conflicts, nodes=NODES, programs=QUESTIONS, until=until)
    sentence = error.sentence
    if diagnosis.relaxations:
        sentence = f"{sentence} With this the day has a plan: {diagnosis.relaxations[0].sentence}"
    return NoPlanError(
        error.rule,
        sentence,
        proven=error.proven,
        conflicts=[
            {
                "rules": list(conflict.rules),
                "detail": conflict.sentence,
                "students": list(conflict.students),
                "rule_ids": rules.name_rules(conflict.rules, conflict.students),
            }
            for conflict in error.conflicts
        ],
        minimal_set=[{"rule": rule.rule, "detail": rule.requirement} for rule in diagnosis.minimal_set],
        minimal_set_proven=diagnosis.minimal,
        relaxations=[
            {
                "rules": list(relaxation.rules),
                "penalty": relaxation.penalty,
                "detail": relaxation.sentence,
                "students": _unique(student for part in relaxation.constraints for student in part.students),
                "rule_ids": _unique(each for part in relaxation.constraints for each in rules.rules_of(part)),
            }
            for relaxation in diagnosis.relaxations
        ],
        notes=list(diagnosis.notes),
    )


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
