"""The targets of a week, what of them is due on a day, and which were reached."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from serving.grouping.errors import require_range, require_unique
from serving.grouping.problem.history import PastDay, count_coached, count_groupmates, count_load_off, count_seats_with
from serving.grouping.problem.people import Adult, Coaching, Student
from serving.grouping.problem.problem import Pair, Problem


@dataclass(frozen=True, slots=True)
class WeekTargets:
    """The targets of a week; the defaults ask for nothing.

    Attributes:
        teacher_seats: seats in sessions that a supervising adult leads, for each student.
        coaching: pairs of adults, with the adult-led sessions that they should share in the week.
        most_together: most adult-led sessions of the week that two students share; None: any number.
        most_load_off: most blocks by which an adult's duties lie off an even share of the week's; None: any number.
    """

    teacher_seats: int = 0
    coaching: tuple[Coaching, ...] = ()
    most_together: int | None = None
    most_load_off: float | None = None

    def __post_init__(self) -> None:
        require_range("WeekTargets.teacher_seats", self.teacher_seats, 0)
        require_unique("WeekTargets.coaching", (coaching.pair for coaching in self.coaching))
        for name, least in (("most_together", 1), ("most_load_off", 0)):
            if getattr(self, name) is not None:
                require_range(f"WeekTargets.{name}", getattr(self, name), least)


def find_supervisors(days: Iterable[Problem]) -> frozenset[str]:
    """Returns the supervising adults of all days."""
    return frozenset(adult.id for day in days for adult in day.adults if adult.supervisor)


def count_teacher_chances(day: Problem) -> dict[str, int]:
    """Returns how many seats with a supervising adult each student could have on a day, if alone in the team.

    That is at most one in each block in which such an adult is there with the student, and one for each skill.
    """
    skills: dict[str, set[str]] = {student.id: set() for student in day.students}
    for need in day.needs:
        skills[need.student].add(need.skill)
    teachers = [adult for adult in day.adults if adult.supervisor]
    return {student.id: _count_chances(student, skills[student.id], teachers) for student in day.students}


def _count_chances(student: Student, skills: Collection[str], teachers: Sequence[Adult]) -> int:
    able = [adult for adult in teachers if adult.certified or not student.needs_certified]
    blocks = {block for adult in able if _taught(adult, skills) for block in adult.blocks & student.blocks}
    taught = {skill for adult in able if adult.blocks & student.blocks for skill in _taught(adult, skills)}
    return min(len(blocks), len(taught))


def _taught(adult: Adult, skills: Collection[str]) -> set[str]:
    return {skill for skill in skills if adult.skills is None or adult.skills.get(skill, 0.0) > 0}


def count_coaching_chances(day: Problem, pair: Pair) -> int:
    """Returns in how many blocks of a day both adults are there; 0 where one of them is not of the day."""
    there = {adult.id: adult.blocks for adult in day.adults}
    return len(there.get(pair[0], frozenset()) & there.get(pair[1], frozenset()))


def find_teacher_time_due(days: Sequence[Problem], targets: WeekTargets, held: Sequence[PastDay]) -> frozenset[str]:
    """Returns the students who are due for a seat with a teacher on the first of the days that are left.

    Those are all who could otherwise not reach the target in the days left to them and, so that not all of them come
    on the last day, the next with the fewest days to spare, up to an even share of the seats that are still missing.

    Args:
        days: the days left.
        targets: targets of the week.
        held: the week's days that are over or planned.
    """
    had = count_seats_with(held, find_supervisors(days))
    chances = [count_teacher_chances(day) for day in days]
    missing = {student: targets.teacher_seats - had[student] for student, most in chances[0].items() if most}
    missing = {student: seats for student, seats in missing.items() if seats > 0}
    slack = {student: sum(bool(most.get(student)) for most in chances) - seats for student, seats in missing.items()}
    most_urgent = sorted(missing, key=lambda student: (slack[student], student))
    share = math.ceil(sum(missing.values()) / len(days))
    return frozenset(student for at, student in enumerate(most_urgent) if at < share or slack[student] <= 0)


def find_coaching_due(days: Sequence[Problem], targets: WeekTargets, held: Sequence[PastDay]) -> tuple[Coaching, ...]:
    """Returns the coaching due on the first of the days that are left: an even share of the missing sessions."""
    had, due = count_coached(held), []
    for asked in targets.coaching:
        chances = [count_coaching_chances(day, asked.pair) for day in days]
        missing = asked.sessions - had[asked.pair]
        if missing > 0 and chances[0]:
            due.append(replace(asked, sessions=math.ceil(missing / sum(map(bool, chances)))))
    return tuple(due)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far one target was reached.

    Attributes:
        target: the field of `WeekTargets`.
        who: the student, the adult, or the pair of adults; empty for the team.
        asked: the number that the target names; for coaching, that of this pair.
        reached: the number reached, in the same unit.
        reason: why the target is missed, a name to count by; None where it is reached.
        sentence: the outcome in plain words, without a student's id.
    """

    target: str
    who: tuple[str, ...]
    asked: float
    reached: float
    reason: str | None
    sentence: str


def describe_outcomes(
    days: Sequence[Problem], targets: WeekTargets, planned: Sequence[PastDay], over: Sequence[PastDay]
) -> tuple[Outcome, ...]:
    """Returns how far each target is reached, and why where it is missed.

    Args:
        days: the days to plan.
        targets: targets of the week.
        planned: the plans of these days.
        over: the week's days that are over.
    """
    held = [*over, *planned]
    outcomes = [*_describe_teacher_seats(days, targets, held, over), *_describe_coaching(days, targets, held, over)]
    if targets.most_together is not None:
        students = {student.id for day in days for student in day.students}
        most = max(count_groupmates(held, students).values(), default=0)
        missed = most > targets.most_together
        sentence = f"No two students share more than {most} adult-led sessions; the target is {targets.most_together}."
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


def _describe_teacher_seats(
    days: Sequence[Problem], targets: WeekTargets, held: Sequence[PastDay], over: Sequence[PastDay]
) -> list[Outcome]:
    if not targets.teacher_seats:
        return []
    asked, teachers = targets.teacher_seats, find_supervisors(days)
    seats, before = count_seats_with(held, teachers), count_seats_with(over, teachers)
    chances = [count_teacher_chances(day) for day in days]
    there = Counter({student.id: 0 for day in days for student in day.students})
    there.update(student.id for day in days for student in day.students if student.blocks)
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
        why = f"the student's time, needs and teachers allow {possible} more on {there} of {days} days"
        return "too_few_chances", why
    return "places_taken", "places with a teacher went to others with whom the days score higher"


def _describe_coaching(
    days: Sequence[Problem], targets: WeekTargets, held: Sequence[PastDay], over: Sequence[PastDay]
) -> list[Outcome]:
    had, before = count_coached(held), count_coached(over)
    outcomes = []
    for target in targets.coaching:
        reached, asked = had[target.pair], target.sessions
        possible = sum(count_coaching_chances(day, target.pair) for day in days)
        sentence = f"{reached} of {asked} adult-led sessions shared by {target.coach} and {target.trainee}"
        reason = None
        if reached < asked:
            reason = "adults_busy"
            if possible < asked - before[target.pair]:
                reason = "too_few_chances" if possible else "never_together"
            sentence += {
                "never_together": ": they are there together in no block of the days planned",
                "too_few_chances": f": they are there together in {possible} blocks of the days planned",
                "adults_busy": ": their time went to sessions and duties with which the days score higher",
            }[reason]
        outcomes.append(Outcome("coaching", (target.coach, target.trainee), asked, reached, reason, f"{sentence}."))
    return outcomes
