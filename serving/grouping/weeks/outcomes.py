"""What becomes of a week's targets: how far each is reached, and why not where it is missed."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.grouping.history import PastDay, count_coached, count_load_off, count_mates, count_seats_with
from serving.grouping.problem import Problem
from serving.grouping.weeks.targets import (
    WeekTargets,
    count_coaching_chances,
    count_teacher_chances,
    find_supervisors,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target.

    Attributes:
        target: the field of `WeekTargets`.
        who: the student, the adult, or the pair of adults; empty for the team.
        asked: as the target has it; for coaching, of this pair.
        reached: in the same unit.
        reason: why it is missed, a name to count by; None where it is reached.
        sentence: the same in plain words, without a student's id.
    """

    target: str
    who: tuple[str, ...]
    asked: float
    reached: float
    reason: str | None
    sentence: str


def tell_outcomes(
    days: Sequence[Problem], targets: WeekTargets, planned: Sequence[PastDay], over: Sequence[PastDay]
) -> tuple[Outcome, ...]:
    """Returns what becomes of each target, and why where it is missed.

    Args:
        days: Those that are planned.
        targets: Of the week.
        planned: What is planned on them.
        over: The week's days that are over.
    """
    held = [*over, *planned]
    outcomes = [*_tell_teacher(days, targets, held, over), *_tell_coaching(days, targets, held, over)]
    if targets.most_together is not None:
        students = {student.id for day in days for student in day.students}
        most = max(count_mates(held, students).values(), default=0)
        missed = most > targets.most_together
        sentence = f"No two students share more than {most} led sessions; {targets.most_together} are the most wanted."
        reason = "too_many_repeats" if missed else None
        outcomes.append(Outcome("most_together", (), targets.most_together, most, reason, sentence))
    if targets.most_load_off is not None:
        for adult, off in sorted(count_load_off(held).items()):
            missed = abs(off) > targets.most_load_off
            side = "above" if off > 0 else "below"
            sentence = f"The duties of {adult} lie {abs(off):.1f} blocks {side} an even share of the week's."
            reason = ("too_many_duties" if off > 0 else "too_few_duties") if missed else None
            outcomes.append(Outcome("most_load_off", (adult,), targets.most_load_off, abs(off), reason, sentence))
    return tuple(outcomes)


def _tell_teacher(
    days: Sequence[Problem], targets: WeekTargets, held: Sequence[PastDay], over: Sequence[PastDay]
) -> list[Outcome]:
    if not targets.teacher_seats:
        return []
    asked, teachers = targets.teacher_seats, find_supervisors(days)
    seats, before = count_seats_with(held, teachers), count_seats_with(over, teachers)
    chances = [count_teacher_chances(day) for day in days]
    there = {student.id: 0 for day in days for student in day.students}
    for day in days:
        for each in day.students:
            there[each.id] += bool(each.blocks)
    outcomes = []
    for student in sorted(there):
        possible = sum(most.get(student, 0) for most in chances)
        sentence = f"{seats[student]} of {asked} seats with a teacher"
        reason = None
        if seats[student] < asked:
            reason, why = _why_no_teacher(there[student], possible, asked - before[student], len(days))
            sentence += f": {why}"
        outcomes.append(Outcome("teacher_seats", (student,), asked, seats[student], reason, f"{sentence}."))
    return outcomes


def _why_no_teacher(there: int, possible: int, missing: int, days: int) -> tuple[str, str]:
    if not there:
        return "absent", "the student is not there on any of the days planned"
    if not possible:
        return "nobody_eligible", "no teacher who may teach one of the student's needs is there at the same time"
    if possible < missing:
        return (
            "too_few_chances",
            f"the student's time, needs and teachers allow {possible} more on {there} of {days} days",
        )
    return "places_taken", "places with a teacher went to others with whom the days score higher"


def _tell_coaching(
    days: Sequence[Problem], targets: WeekTargets, held: Sequence[PastDay], over: Sequence[PastDay]
) -> list[Outcome]:
    had, before = count_coached(held), count_coached(over)
    outcomes = []
    for each in targets.coaching:
        pair = min(each.coach, each.trainee), max(each.coach, each.trainee)
        possible = sum(count_coaching_chances(day, pair) for day in days)
        sentence = f"{had[pair]} of {each.sessions} led sessions shared by {each.coach} and {each.trainee}"
        reason = None
        if had[pair] < each.sessions:
            reason = "adults_busy"
            if possible < each.sessions - before[pair]:
                reason = "too_few_chances" if possible else "never_together"
            sentence += {
                "never_together": ": they are there together in no block of the days planned",
                "too_few_chances": f": they are there together in {possible} blocks of the days planned",
                "adults_busy": ": their time went to sessions and duties with which the days score higher",
            }[reason]
        asked = each.sessions
        outcomes.append(Outcome("coaching", (each.coach, each.trainee), asked, had[pair], reason, f"{sentence}."))
    return outcomes
