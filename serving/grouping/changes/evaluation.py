"""Evaluates a plan that a person edited: rules it breaks, its score, and the score impact of the edit and its parts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from serving.grouping.changes.difference import Move, find_moves
from serving.grouping.clock import is_over
from serving.grouping.problem.places import Seat
from serving.grouping.problem.plan import Score, Session
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import Violation, find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.rules.score_impact import ScoreImpact, measure_impact


@dataclass(frozen=True, slots=True)
class Change:
    """One moved seat of an edit, measured by undoing it alone.

    Attributes:
        score_impact: what the change adds to the edited plan; negative where it costs points.
        fixes: breaches that are gone once it is undone, so that it has a part in them.
        breaks: breaches that undoing it alone would bring.
    """

    move: Move
    score_impact: ScoreImpact
    fixes: tuple[Violation, ...]
    breaks: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an edited plan breaks, scores and changes.

    Attributes:
        violations: breaches of hard rules; empty for a plan that may be used.
        score: None where ids or shapes are wrong, as the rule `form` says, so that there is nothing to score.
        score_impact: of the whole edit; None without an original, or without a score of both.
        moves: seats that differ from the original.
        changes: the same where there are several, each measured alone; only the first of them where the time ran out.
        cut_by_clock: whether it did.
    """

    violations: tuple[Violation, ...]
    score: Score | None
    score_impact: ScoreImpact | None = None
    moves: tuple[Move, ...] = ()
    changes: tuple[Change, ...] = ()
    cut_by_clock: bool = False


def evaluate_edit(
    problem: Problem,
    edited: tuple[Session, ...],
    original: tuple[Session, ...] | None = None,
    until: float | None = None,
    *,
    singly: bool = True,
) -> Evaluation:
    """Returns the evaluation of an edited plan, against the original where there is one.

    The impact of a single change is what it adds beside all others, so that the impacts need not sum up to that of the
    edit: two students who change places free each other's seats.

    Args:
        problem: the day.
        edited: the edited plan.
        original: the plan before; None: none.
        until: when to measure no further change, on the clock of `time.perf_counter`; None: without a clock.
        singly: whether to measure each change alone too.
    """
    violations = find_violations(problem, edited)
    if _is_malformed(violations):
        return Evaluation(violations, None)
    score = score_plan(problem, edited)
    if original is None or _is_malformed(find_violations(problem, original)):
        return Evaluation(violations, score)
    moves = find_moves(problem, original, edited)
    impact = measure_impact(score_plan(problem, original), score)
    changes: list[Change] = []
    for move in moves if singly and len(moves) > 1 else ():
        if is_over(until):
            return Evaluation(violations, score, impact, moves, tuple(changes), cut_by_clock=True)
        changes.append(_measure_change(problem, edited, original, move, violations, score))
    return Evaluation(violations, score, impact, moves, tuple(changes))


def _is_malformed(violations: Sequence[Violation]) -> bool:
    return any(violation.rule == "form" for violation in violations)


def _measure_change(
    problem: Problem,
    edited: tuple[Session, ...],
    original: tuple[Session, ...],
    move: Move,
    violations: tuple[Violation, ...],
    score: Score,
) -> Change:
    undone = _undo(edited, original, move)
    left = find_violations(problem, undone)
    before, after = set(violations), set(left)
    return Change(
        move=move,
        score_impact=measure_impact(score_plan(problem, undone), score),
        fixes=tuple(violation for violation in violations if violation not in after),
        breaks=tuple(violation for violation in left if violation not in before),
    )


def _undo(edited: tuple[Session, ...], original: tuple[Session, ...], move: Move) -> tuple[Session, ...]:
    """Puts one student back to the original seat; a session that is not held any more is held again for the seat."""
    student, block = move.student, move.block
    left = [
        replace(s, students=tuple(name for name in s.students if name != student)) if s.block == block else s
        for s in edited
    ]
    if move.before is not None:
        homes = [s for s in original if s.block == block and student in s.students and _is_seat_of(move.before, s)]
        held = [at for at, s in enumerate(left) if s.block == block and _is_seat_of(move.before, s)]
        same = [at for at in held if left[at].id == homes[-1].id]
        if held:
            at = (same or held)[0]
            left[at] = replace(left[at], students=tuple(sorted((*left[at].students, student))))
        else:
            taken = {session.id for session in left}
            name = homes[-1].id if homes[-1].id not in taken else f"{homes[-1].id}-again"
            left.append(replace(homes[-1], id=name, students=(student,)))
    return tuple(session for session in left if session.students)


def _is_seat_of(seat: Seat, session: Session) -> bool:
    """Whether a session is the one that a seat is in."""
    lead = session.adults[0] if session.led else None
    return (session.session_type, session.skill, lead) == (seat.session_type, seat.skill, seat.adult)
