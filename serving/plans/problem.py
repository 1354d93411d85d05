"""A team's day as a problem of the optimiser: the roster, what is asked for, and who needs what."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations

from features.roster import Rule, SkillMap, Staff, Team
from features.roster.records import WEEKDAYS
from serving.errors import RequestError
from serving.grouping import (
    Adult,
    Block,
    Coaching,
    PastDay,
    Pin,
    Problem,
    Room,
    Seat,
    Session,
    SessionType,
    Skill,
    Student,
    Weights,
    recollect,
)
from serving.plans.needs import Candidate
from serving.plans.policy import Planning


@dataclass(frozen=True)
class Absence:
    """Who is away, and when.

    Attributes:
        student: A member of the team, or null.
        staff: An adult of the team, or null.
        blocks: Ids of the day's blocks; null for the whole day.
    """

    student: str | None = None
    staff: str | None = None
    blocks: tuple[str, ...] | None = None


@dataclass(frozen=True)
class DayRequest:
    """What a caller asks for.

    Attributes:
        day: The school's own date.
        absences: Who is away.
        rules: Rules of this day only, besides the standing ones.
        previous: Seats of an earlier plan of the day, of which few should move.
        move_penalty: Points that moving one of them has to gain; null: as the planner's own weights say.
        kept: Seats of that plan that stay, led by the same adult on the same skill.
        alternatives: How many other good plans to look for.
    """

    day: date
    absences: tuple[Absence, ...] = ()
    rules: tuple[Rule, ...] = ()
    previous: tuple[Seat, ...] = ()
    move_penalty: float | None = None
    kept: tuple[Seat, ...] = ()
    alternatives: int = 0


@dataclass
class _Availability:
    """The blocks in which each person is there, as rules and absences take them away."""

    blocks: frozenset[str]
    students: dict[str, frozenset[str]] = field(default_factory=dict)
    staff: dict[str, frozenset[str]] = field(default_factory=dict)

    def of_student(self, student: str) -> frozenset[str]:
        return self.students.get(student, self.blocks)

    def of_staff(self, staff: str) -> frozenset[str]:
        return self.staff.get(staff, self.blocks)

    def remove(self, who: dict[str, frozenset[str]], person: str, blocks: frozenset[str]) -> None:
        who[person] = who.get(person, self.blocks) - blocks


def state_problem(
    team: Team, skills: SkillMap, request: DayRequest, candidates: Sequence[Candidate], planning: Planning
) -> Problem:
    """The day as a problem of the optimiser.

    Raises:
        RequestError: The day has no blocks, or a rule or an absence names somebody else.
        ProblemError: Something else does not fit together.
    """
    weekday = WEEKDAYS[request.day.weekday()]
    today = sorted((each for each in team.blocks if each.weekday == weekday), key=lambda each: each.start)
    if not today:
        days = sorted({each.weekday for each in team.blocks}, key=WEEKDAYS.index)
        raise RequestError("no_blocks", f"the team has no block on {weekday}; it has blocks on {', '.join(days)}")
    order = [each.block_id for each in today]
    blocks = frozenset(order)
    rules = (*team.rules, *request.rules)
    _require_own(team, request)
    there = _availability(blocks, rules, request)
    adults = {each.staff_id for each in team.staff}
    asked = {each.skill_id for each in rules if each.skill_id} | {each.skill for each in request.kept if each.skill}
    used = sorted({each.need.skill for each in candidates} | asked)
    earlier = [each for each in request.previous if each.student in team.members and each.block in blocks]
    weights = Weights() if request.move_penalty is None else Weights(perturbation=request.move_penalty)
    behind = {each.need.skill for each in candidates if each.need.catch_up}
    carried = recollect(
        tuple(Student(each, there.of_student(each)) for each in team.members),
        tuple(_adult(each, there.of_staff(each.staff_id), adults, used) for each in team.staff),
        _past_days(team, request.day, behind),
        planning.history_days,
    )
    return Problem(
        blocks=tuple(Block(each.block_id, f"{each.start:%H:%M}-{each.end:%H:%M}", at) for at, each in enumerate(today)),
        students=carried.students,
        adults=carried.adults,
        recent_groupmates=carried.recent_groupmates,
        contacts=carried.contacts,
        skills=tuple(Skill(each, skill_name(skills, each)) for each in used),
        rooms=tuple(Room(each.room_id, each.capacity) for each in team.rooms),
        effects=planning.effects_for(each.role for each in team.staff),
        needs=tuple(each.need for each in candidates),
        keep_apart=_pairs(rules, "keep_apart"),
        keep_together=_pairs(rules, "keep_together"),
        pins=(
            *_pins(team.rules, order, there, standing=True),
            *_pins(request.rules, order, there, standing=False),
            *_kept(request.kept, there),
        ),
        previous=tuple(each for each in earlier if each.adult is None or each.adult in adults),
        weights=weights,
        coaching=_coaching(team, weekday, there, planning.coaching_per_week),
        most_catch_up_days=planning.most_catch_up_days,
    )


def skill_name(skills: SkillMap, skill: str) -> str:
    """What people call a skill: its name, or its id where none is known."""
    known = skills.skills.get(skill)
    return skill if known is None or known.name is None else known.name


def _require_own(team: Team, request: DayRequest) -> None:
    """Refuses absences and rules about people, blocks or staff of other teams; standing rules were checked at load."""
    members, adults = set(team.members), {each.staff_id for each in team.staff}
    blocks = {each.block_id for each in team.blocks}
    named: list[tuple[str, tuple[str, ...], str | None, tuple[str, ...]]] = []
    for at, absence in enumerate(request.absences):
        away = (absence.student,) if absence.student else ()
        named.append((f"absences[{at}]", away, absence.staff, absence.blocks or ()))
    for at, rule in enumerate(request.rules):
        named.append((f"rules[{at}]", rule.students, rule.staff_id, (rule.block_id,) if rule.block_id else ()))
    for where, students, staff, used in named:
        if not set(students) <= members:
            raise RequestError("unknown_student", f"{where}: a student named there is not in the team", field=where)
        if staff is not None and staff not in adults:
            raise RequestError("unknown_staff", f"{where}: {staff!r} is not an adult of the team", field=where)
        for block in used:
            if block not in blocks:
                known = ", ".join(sorted(blocks))
                raise RequestError("unknown_block", f"{where}: block {block!r} is not one of {known}", field=where)


def _availability(blocks: frozenset[str], rules: Sequence[Rule], request: DayRequest) -> _Availability:
    there = _Availability(blocks)
    for rule in rules:
        if rule.kind == "unavailable":
            away = blocks if rule.block_id is None else frozenset({rule.block_id})
            for student in rule.students:
                there.remove(there.students, student, away)
            if rule.staff_id is not None:
                there.remove(there.staff, rule.staff_id, away)
    for absence in request.absences:
        away = blocks if absence.blocks is None else frozenset(absence.blocks)
        if absence.student is not None:
            there.remove(there.students, absence.student, away)
        if absence.staff is not None:
            there.remove(there.staff, absence.staff, away)
    return there


def _adult(staff: Staff, blocks: frozenset[str], adults: set[str], skills: Sequence[str]) -> Adult:
    qualified = None if staff.skills is None else {each: 1.0 for each in staff.skills if each in skills}
    return Adult(
        id=staff.staff_id,
        role=staff.role,
        blocks=blocks,
        session_types=frozenset(SessionType(each) for each in staff.may_lead),
        skills=qualified,
        max_group=staff.max_group,
        certified=staff.certified,
        coach=staff.coach if staff.coach in adults else None,
    )


def _pairs(rules: Sequence[Rule], kind: str) -> tuple[tuple[str, str], ...]:
    found = {pair for rule in rules if rule.kind == kind for pair in combinations(sorted(set(rule.students)), 2)}
    return tuple(sorted(found))


def _pins(rules: Sequence[Rule], today: Sequence[str], there: _Availability, *, standing: bool) -> list[Pin]:
    """The places that rules settle today; one without a block takes the first in which everybody named is there.

    A standing rule gives way to an absence. A rule asked for with the request does not: the conflict is told.
    """
    pins = []
    for rule in rules:
        if rule.kind != "pinned" or (rule.block_id is not None and rule.block_id not in today):
            continue
        free = [
            block
            for block in today
            if all(block in there.of_student(each) for each in rule.students)
            and (rule.staff_id is None or block in there.of_staff(rule.staff_id))
        ]
        block = rule.block_id or next(iter(free), today[0])
        pins += [
            Pin(student, block, skill=rule.skill_id, adult=rule.staff_id)
            for student in rule.students
            if not standing or (block in there.of_student(student) and block in free)
        ]
    return pins


def _kept(seats: Sequence[Seat], there: _Availability) -> list[Pin]:
    """Seats that stay, of students who are still there; an adult who is away is a conflict that is told."""
    return [
        Pin(seat.student, seat.block, seat.session_type, seat.skill, seat.adult)
        for seat in seats
        if seat.block in there.of_student(seat.student)
    ]


def _coaching(team: Team, weekday: str, there: _Availability, per_week: int) -> tuple[Coaching, ...]:
    """What each coach and the colleague who is coached should share today, where both are there at some time.

    Past sessions name one adult, so that nobody knows what was coached: the sessions of a week are spread evenly over
    the weekdays on which the team has blocks, and what a day misses is not made up for.
    """
    days = sorted({each.weekday for each in team.blocks}, key=WEEKDAYS.index)
    at = days.index(weekday)
    asked = per_week * (at + 1) // len(days) - per_week * at // len(days)
    pairs = {
        frozenset((each.coach, each.staff_id)): Coaching(each.coach, each.staff_id, asked)
        for each in team.staff
        if asked and each.coach is not None and there.of_staff(each.coach) & there.of_staff(each.staff_id)
    }
    return tuple(pairs.values())


def _past_days(team: Team, today: date, behind: Collection[str]) -> list[PastDay]:
    """The days with sessions that an adult led; the roster does not know of which kind, and all kinds count alike.

    Args:
        team: Whose past it is.
        today: Days before it count.
        behind: Skills to catch up on; those of now, since nobody wrote down what they were then.
    """
    days: dict[date, list[Session]] = defaultdict(list)
    for at, each in enumerate(team.past_sessions):
        if each.date < today and each.staff_id is not None:
            adults, kind = (each.staff_id,), SessionType.SMALL_GROUP
            days[each.date].append(
                Session(f"past-{at}", each.block_id, kind, each.skill_id, adults, None, each.students)
            )
    return [
        PastDay(
            (today - day).days,
            tuple(sessions),
            frozenset(
                (student, s.skill)
                for s in sessions
                if s.skill is not None and s.skill in behind
                for student in s.students
            ),
        )
        for day, sessions in days.items()
    ]
