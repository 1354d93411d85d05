"""What a week should reach, and who is still owed what on a day of it."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from serving.grouping.errors import require_range, require_unique
from serving.grouping.problem.history import PastDay, count_coached, count_groupmates, count_load_off, count_seats_with
from serving.grouping.problem.people import Adult, Coaching, Student
from serving.grouping.problem.problem import Pair, Problem


@dataclass(frozen=True, slots=True)
class WeekTargets:
    """What a week should reach; the defaults ask for nothing.

    Attributes:
        teacher_seats: seats in sessions that a supervising adult leads, for each student.
        coaching: pairs of adults, with the led sessions that they should share in the week.
        most_together: most led sessions of the week that two students share; None: any number.
        most_load_off: most blocks by which an adult's duties lie off an even share of the week's; None: any number.
    """

    teacher_seats: int = 0
    coaching: tuple[Coaching, ...] = ()
    most_together: int | None = None
    most_load_off: float | None = None

    def __post_init__(self) -> None:
        require_range("WeekTargets.teacher_seats", self.teacher_seats, 0)
        require_unique("WeekTargets.coaching", (frozenset((each.coach, each.trainee)) for each in self.coaching))
        for name, least in (("most_together", 1), ("most_load_off", 0)):
            if getattr(self, name) is not None:
                require_range(f"WeekTargets.{name}", getattr(self, name), least)


def find_supervisors(days: Iterable[Problem]) -> frozenset[str]:
    """Returns the adults of any of the days who count as teachers."""
    return frozenset(adult.id for day in days for adult in day.adults if adult.supervisor)


def count_teacher_chances(day: Problem, students: Collection[str] | None = None) -> dict[str, int]:
    """Returns how many led seats with a supervising adult each student could have on a day, if alone in the team.

    That is at most one in each block in which such an adult is there with the student, and one for each skill.
    """
    skills: dict[str, set[str]] = {student.id: set() for student in day.students}
    for need in day.open_needs():
        skills[need.student].add(need.skill)
    teachers = [adult for adult in day.adults if adult.supervisor]
    return {
        student.id: _chances(student, skills[student.id], teachers)
        for student in day.students
        if students is None or student.id in students
    }


def _chances(student: Student, skills: Collection[str], teachers: Sequence[Adult]) -> int:
    able = [adult for adult in teachers if adult.certified or not student.needs_certified]
    blocks = {block for adult in able if _taught(adult, skills) for block in adult.blocks & student.blocks}
    taught = {skill for adult in able if adult.blocks & student.blocks for skill in _taught(adult, skills)}
    return min(len(blocks), len(taught))


def _taught(adult: Adult, skills: Collection[str]) -> set[str]:
    return {skill for skill in skills if adult.skills is None or adult.skills.get(skill, 0.0) > 0}


def count_coaching_chances(day: Problem, pair: Pair) -> int:
    """Returns in how many blocks of a day both adults are there; 0 where the day does not know one of them."""
    there = {adult.id: adult.blocks for adult in day.adults}
    return len(there.get(pair[0], frozenset()) & there.get(pair[1], frozenset()))


def owe_teacher(days: Sequence[Problem], targets: WeekTargets, held: Sequence[PastDay]) -> frozenset[str]:
    """Returns who is owed a seat with a teacher on the first of the days that are left.

    Those are all who could otherwise not reach the target in the days left to them and, so that not all of them come
    on the last day, the next most pressed, up to an even share of the seats that are still missing.

    Args:
        days: The days left.
        targets: Of the week.
        held: The week's days that are over or planned.
    """
    had = count_seats_with(held, find_supervisors(days))
    chances = [count_teacher_chances(day) for day in days]
    missing = {student: targets.teacher_seats - had[student] for student, most in chances[0].items() if most}
    missing = {student: seats for student, seats in missing.items() if seats > 0}
    slack = {student: sum(bool(most.get(student)) for most in chances) - seats for student, seats in missing.items()}
    pressed = sorted(missing, key=lambda student: (slack[student], student))
    share = math.ceil(sum(missing.values()) / len(days))
    return frozenset(student for at, student in enumerate(pressed) if at < share or slack[student] <= 0)


def owe_coaching(days: Sequence[Problem], targets: WeekTargets, held: Sequence[PastDay]) -> tuple[Coaching, ...]:
    """Returns the coaching to ask for on the first of the days that are left: an even share of what is missing."""
    had = count_coached(held)
    teacher_time_due = []
    for each in targets.coaching:
        pair = min(each.coach, each.trainee), max(each.coach, each.trainee)
        chances = [count_coaching_chances(day, pair) for day in days]
        missing = each.sessions - had[pair]
        if missing > 0 and chances[0]:
            teacher_time_due.append(Coaching(each.coach, each.trainee, math.ceil(missing / sum(map(bool, chances)))))
    return tuple(teacher_time_due)


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
        most = max(count_groupmates(held, students).values(), default=0)
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
