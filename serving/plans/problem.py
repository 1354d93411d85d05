"""A team's day as a planning problem: the roster, the request, and who needs what."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import combinations

from features.roster import Rule, SkillMap, Staff, Team
from features.roster.records import WEEKDAYS
from serving.errors import RequestError
from serving.grouping import (
    DEFAULT_SIZES,
    DEFAULT_STUDENTS_PER_MONITOR,
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
    SizeBound,
    Skill,
    Student,
    Weights,
    recollect,
)
from serving.plans.needs import Candidate
from serving.plans.policy import PlannerPolicy


@dataclass(frozen=True)
class Absence:
    """Who is absent, and when.

    Attributes:
        student: A member of the team, or null.
        staff: An adult of the team, or null.
        blocks: Ids of the blocks that are missed; null for the whole day.
    """

    student: str | None = None
    staff: str | None = None
    blocks: tuple[str, ...] | None = None


@dataclass(frozen=True)
class DayRequest:
    """What a caller asks for.

    Attributes:
        day: The date at the school.
        absences: Who is absent.
        rules: Rules for this day only, besides the roster's permanent ones.
        previous: Seats of an earlier plan of the day, of which few should move.
        move_penalty: Need points that moving one of them must gain; null: the planner's own weight.
        kept: Seats of that plan that stay, led by the same adult on the same skill.
        alternatives: How many other good plans to look for.
        students_per_monitor: Students online whom one adult may supervise; null: the planner's own number.
        weights: Weights of soft terms by name, in place of the policy's.
        sizes: Bounds of some session types, in place of the planner's own.
    """

    day: date
    absences: tuple[Absence, ...] = ()
    rules: tuple[Rule, ...] = ()
    previous: tuple[Seat, ...] = ()
    move_penalty: float | None = None
    kept: tuple[Seat, ...] = ()
    alternatives: int = 0
    students_per_monitor: int | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    sizes: tuple[SizeBound, ...] = ()


@dataclass(frozen=True)
class _Attendance:
    """The blocks in which each student and each adult is there."""

    students: Mapping[str, frozenset[str]]
    staff: Mapping[str, frozenset[str]]


def state_problem(
    team: Team, skills: SkillMap, request: DayRequest, candidates: Sequence[Candidate], policy: PlannerPolicy
) -> Problem:
    """The day as a planning problem.

    Raises:
        RequestError: The day has no blocks, or a rule or an absence names somebody who is not in the team.
        ProblemError: Something else contradicts itself.
    """
    weekday = WEEKDAYS[request.day.weekday()]
    today = sorted((block for block in team.blocks if block.weekday == weekday), key=lambda block: block.start)
    if not today:
        days = ", ".join(_weekdays(team))
        raise RequestError("no_blocks", f"the team has no block on {weekday}; it has blocks on {days}")
    _require_own(team, request)
    order = [block.block_id for block in today]
    rules = (*team.rules, *request.rules)
    there = _attendance(frozenset(order), rules, request.absences)
    adults = {adult.staff_id for adult in team.staff}
    named = {rule.skill_id for rule in rules if rule.skill_id} | {seat.skill for seat in request.kept if seat.skill}
    waiting = {candidate.need.because_of for candidate in candidates if candidate.need.because_of}
    skill_ids = sorted({candidate.need.skill for candidate in candidates} | waiting | named)
    due = _find_adult_time_due(team, request.day, policy.history_days)
    students = tuple(
        Student(student, there.students[student], adult_time_due=student in due) for student in team.members
    )
    remembered = recollect(
        students,
        tuple(_adult(adult, there.staff[adult.staff_id], adults, skill_ids) for adult in team.staff),
        _past_days(team, request.day),
        policy.history_days,
    )
    return Problem(
        blocks=tuple(
            Block(block.block_id, f"{block.start:%H:%M}-{block.end:%H:%M}", at) for at, block in enumerate(today)
        ),
        students=students,
        adults=remembered.adults,
        recent_groupmates=remembered.recent_groupmates,
        contacts=remembered.contacts,
        skills=tuple(Skill(skill, skill_name(skills, skill)) for skill in skill_ids),
        rooms=tuple(Room(room.room_id, room.capacity) for room in team.rooms),
        effects=policy.effects_for(adult.role for adult in team.staff),
        needs=tuple(candidate.need for candidate in candidates),
        keep_apart=_pairs(rules, "keep_apart"),
        keep_together=_pairs(rules, "keep_together"),
        pins=(
            *_pins(team.rules, order, there, permanent=True),
            *_pins(request.rules, order, there, permanent=False),
            *(
                Pin(seat.student, seat.block, seat.session_type, seat.skill, seat.adult)
                for seat in request.kept  # an adult who is absent is a conflict, which is reported
                if seat.block in there.students[seat.student]
            ),
        ),
        previous=tuple(
            seat
            for seat in request.previous
            if seat.student in team.members and seat.block in order and (seat.adult is None or seat.adult in adults)
        ),
        weights=_weights(request, policy),
        sizes=_sizes(request),
        students_per_monitor=request.students_per_monitor or DEFAULT_STUDENTS_PER_MONITOR,
        coaching=_coaching(team, weekday, there, policy.coaching_per_week),
    )


def _weights(request: DayRequest, policy: PlannerPolicy) -> Weights:
    weights = replace(policy.weights, **request.weights)
    return weights if request.move_penalty is None else replace(weights, perturbation=request.move_penalty)


def _sizes(request: DayRequest) -> tuple[SizeBound, ...]:
    asked = {bound.session_type: bound for bound in request.sizes}
    return tuple(asked.get(bound.session_type, bound) for bound in DEFAULT_SIZES)


def skill_name(skills: SkillMap, skill: str) -> str:
    """The name of a skill, or its id where no name is known."""
    known = skills.skills.get(skill)
    return skill if known is None or known.name is None else known.name


def _weekdays(team: Team) -> list[str]:
    """The weekdays on which the team has blocks, in order."""
    return sorted({block.weekday for block in team.blocks}, key=WEEKDAYS.index)


def _require_own(team: Team, request: DayRequest) -> None:
    """Refuses a request about people or blocks of other teams; the roster's rules were checked when it was loaded."""
    members, adults = set(team.members), {adult.staff_id for adult in team.staff}
    blocks = sorted(block.block_id for block in team.blocks)
    named: list[tuple[str, tuple[str, ...], str | None, tuple[str, ...]]] = [
        (f"absences[{at}]", (absence.student,) if absence.student else (), absence.staff, absence.blocks or ())
        for at, absence in enumerate(request.absences)
    ]
    named += [
        (f"rules[{at}]", rule.students, rule.staff_id, (rule.block_id,) if rule.block_id else ())
        for at, rule in enumerate(request.rules)
    ]
    for path, students, staff, block_ids in named:
        if not set(students) <= members:
            raise RequestError("unknown_student", f"{path}: a student named there is not in the team", field=path)
        if staff is not None and staff not in adults:
            raise RequestError("unknown_staff", f"{path}: {staff!r} is not an adult of the team", field=path)
        for block in block_ids:
            if block not in blocks:
                detail = f"{path}: block {block!r} is not one of {', '.join(blocks)}"
                raise RequestError("unknown_block", detail, field=path)


def _attendance(blocks: frozenset[str], rules: Sequence[Rule], absences: Sequence[Absence]) -> _Attendance:
    """The blocks in which everybody is there, as rules and absences leave them."""
    students: dict[str, frozenset[str]] = defaultdict(lambda: blocks)
    staff: dict[str, frozenset[str]] = defaultdict(lambda: blocks)
    for rule in rules:
        if rule.kind == "unavailable":
            missed = blocks if rule.block_id is None else frozenset({rule.block_id})
            for student in rule.students:
                students[student] -= missed
            if rule.staff_id is not None:
                staff[rule.staff_id] -= missed
    for absence in absences:
        missed = blocks if absence.blocks is None else frozenset(absence.blocks)
        if absence.student is not None:
            students[absence.student] -= missed
        if absence.staff is not None:
            staff[absence.staff] -= missed
    return _Attendance(students, staff)


def _adult(staff: Staff, blocks: frozenset[str], adults: set[str], skills: Sequence[str]) -> Adult:
    return Adult(
        id=staff.staff_id,
        role=staff.role,
        blocks=blocks,
        session_types=frozenset(SessionType(session_type) for session_type in staff.may_lead),
        skills=None if staff.skills is None else {skill: 1.0 for skill in staff.skills if skill in skills},
        max_group=staff.max_group,
        certified=staff.certified,
        coach=staff.coach if staff.coach in adults else None,
    )


def _pairs(rules: Sequence[Rule], kind: str) -> tuple[tuple[str, str], ...]:
    found = {pair for rule in rules if rule.kind == kind for pair in combinations(sorted(set(rule.students)), 2)}
    return tuple(sorted(found))


def _pins(rules: Sequence[Rule], today: Sequence[str], there: _Attendance, *, permanent: bool) -> Iterator[Pin]:
    """The fixed assignments of today; one without a block takes the first in which everybody named is there.

    A permanent rule gives way to an absence. A rule of the request does not: the conflict is reported.
    """
    for rule in rules:
        if rule.kind != "pinned" or (rule.block_id is not None and rule.block_id not in today):
            continue
        free = [
            block
            for block in today
            if all(block in there.students[student] for student in rule.students)
            and (rule.staff_id is None or block in there.staff[rule.staff_id])
        ]
        block = rule.block_id or next(iter(free), today[0])
        if not permanent or block in free:
            yield from (Pin(student, block, skill=rule.skill_id, adult=rule.staff_id) for student in rule.students)


def _coaching(team: Team, weekday: str, there: _Attendance, per_week: int) -> tuple[Coaching, ...]:
    """The sessions that each coach and trainee should share today, where both are there in some block.

    Past sessions name one adult, so that it is not known what was coached: the sessions of a week are spread evenly
    over the weekdays on which the team has blocks, and what a day misses is not made up for.
    """
    days = _weekdays(team)
    at = days.index(weekday)
    sessions = per_week * (at + 1) // len(days) - per_week * at // len(days)
    pairs = {
        frozenset((trainee.coach, trainee.staff_id)): Coaching(trainee.coach, trainee.staff_id, sessions)
        for trainee in team.staff
        if sessions and trainee.coach is not None and there.staff[trainee.coach] & there.staff[trainee.staff_id]
    }
    return tuple(pairs.values())


def _find_adult_time_due(team: Team, today: date, history_days: int) -> frozenset[str]:
    """The members without an adult-led session on the last day before today that has any on record.

    Where the roster also has that day's sessions without an adult, who is in none of any kind counts as absent then,
    and is not due.
    """
    recent = [past for past in team.past_sessions if 0 < (today - past.date).days <= history_days]
    last = max((past.date for past in recent if past.staff_id is not None), default=None)
    met = {student for past in recent if past.date == last and past.staff_id for student in past.students}
    online = {student for past in recent if past.date == last and not past.staff_id for student in past.students}
    return frozenset() if last is None else (frozenset(online or team.members) - met).intersection(team.members)


def _past_days(team: Team, today: date) -> list[PastDay]:
    """The days before today with adult-led sessions.

    The roster does not have the type of a past session, so that all count as small groups.
    """
    days: dict[date, list[Session]] = defaultdict(list)
    for at, past in enumerate(team.past_sessions):
        if past.date < today and past.staff_id is not None:
            adults, session_type = (past.staff_id,), SessionType.SMALL_GROUP
            session = Session(f"past-{at}", past.block_id, session_type, past.skill_id, adults, None, past.students)
            days[past.date].append(session)
    return [PastDay((today - day).days, tuple(sessions)) for day, sessions in days.items()]
