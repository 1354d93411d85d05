"""A team's day as a planning problem: the roster, the request, and who needs what."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from features.roster import PolicyLayer, Rule, Series, SkillMap, Staff, Team, find_misfits, find_mistakes
from features.roster.records import WEEKDAYS
from serving.errors import RequestError
from serving.grouping import (
    GROUPS,
    Adult,
    Block,
    Coaching,
    Contact,
    PastDay,
    Pin,
    Problem,
    Role,
    Seat,
    Session,
    SessionType,
    Skill,
    Student,
    recollect,
)
from serving.plans.cycles.cycle import Grouping
from serving.plans.need.goal_needs import favor_goals
from serving.plans.need.needs import Candidate
from serving.plans.need.urgent_needs import weigh_urgent
from serving.plans.need.wishes import state_wishes
from serving.plans.rooms import list_rooms
from serving.plans.rules.policy import PlannerPolicy
from serving.plans.rules.standing_rules import DayFacts, Note, RuleBook, read_rules
from serving.plans.rules.team_policy import DayPolicy, settle_policy
from serving.plans.turns.waiting import find_adult_time_due
from serving.store.practice.growth import find_stage
from serving.store.practice.of_team import NO_PRACTICE, Practice

NOTHING = PolicyLayer("")
"""The choices of a request that makes none."""

NO_ROOMS = Note(None, (), "The roster has no rooms for the team, so that the plan names none.")


BODY_FIELDS = {"students": "student_ids", "skills": "skill_ids"}
"""The fields of a series that bodies call otherwise."""


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
        policy: The team's choices for this day, which count before those of the roster.
        earlier: The policy of the earlier plan; null without one.
        series: Series besides the roster's, or in place of those with the same id.
        grouping: The grouping of the cycle of which the day is a later one; null: none.
    """

    day: date
    absences: tuple[Absence, ...] = ()
    rules: tuple[Rule, ...] = ()
    previous: tuple[Seat, ...] = ()
    move_penalty: float | None = None
    kept: tuple[Seat, ...] = ()
    alternatives: int = 0
    policy: PolicyLayer = NOTHING
    earlier: PolicyLayer | None = None
    series: tuple[Series, ...] = ()
    grouping: Grouping | None = None


@dataclass(frozen=True)
class StatedDay:
    """A day as a planning problem, and where its parts come from.

    Attributes:
        problem: The day.
        rules: Where fixed assignments and pairs come from.
        policy: What the team chose for it.
        notes: What the day goes without, in words.
    """

    problem: Problem
    rules: RuleBook
    policy: DayPolicy
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class _Attendance:
    """The blocks in which each student and each adult is there."""

    students: Mapping[str, frozenset[str]]
    staff: Mapping[str, frozenset[str]]


def state_day(
    team: Team,
    skills: SkillMap,
    request: DayRequest,
    candidates: Sequence[Candidate],
    policy: PlannerPolicy,
    practice: Practice = NO_PRACTICE,
) -> StatedDay:
    """The day as a planning problem, without the standing rules that cannot hold today.

    Args:
        team: The team as it is on the day.
        skills: Names and prerequisites.
        request: What is asked for.
        candidates: What students need.
        policy: What the planner assumes.
        practice: What the team does around its plans.

    Raises:
        RequestError: The day is one without school or has no blocks, or a rule or an absence names somebody who is not
            in the team.
        ProblemError: Something else contradicts itself.
    """
    if not team.has_school(request.day):
        raise RequestError("no_school", f"the team has no school on {request.day}, by its policy; ask for another day")
    weekday = WEEKDAYS[request.day.weekday()]
    today = sorted((block for block in team.blocks if block.weekday == weekday), key=lambda block: block.start)
    if not today:
        days = ", ".join(_weekdays(team))
        raise RequestError("no_blocks", f"the team has no block on {weekday}; it has blocks on {days}")
    _require_own(team, request)
    _require_sound_series(team, request)
    chosen = settle_policy(team, request.policy, policy, request.earlier)
    order = [block.block_id for block in today]
    rules = (*team.rules, *request.rules)
    there = _attendance(frozenset(order), rules, request.absences)
    adults = {adult.staff_id for adult in team.staff}
    stages = {staff_id: find_stage(stages, request.day).largest for staff_id, stages in practice.timelines.items()}
    named = {rule.skill_id for rule in rules if rule.skill_id} | {seat.skill for seat in request.kept if seat.skill}
    named |= _list_carried_skills(team, request)
    waiting = {candidate.need.because_of for candidate in candidates if candidate.need.because_of}
    skill_ids = sorted({candidate.need.skill for candidate in candidates} | waiting | named)
    due = find_adult_time_due(team, request.day, chosen.settings["adult_time_days"], policy.history_days)
    if request.grouping is None and chosen.settings["regroup"] not in ("daily", 1):
        due = frozenset(team.members)  # whom the first day of a grouping leaves out waits until the next one
    largest = max((size.most for size in chosen.sizes if size.session_type in GROUPS), default=0)
    group_days = chosen.settings["group_time_days"]
    group_due = find_adult_time_due(team, request.day, group_days, policy.history_days, largest)
    students = tuple(_student(student, there, chosen, due, group_due) for student in team.members)
    urgent = weigh_urgent(team, request.day, [candidate.need for candidate in candidates], policy.need)
    remembered = recollect(
        students,
        tuple(
            _adult(adult, there.staff[adult.staff_id], adults, skill_ids, chosen, stages.get(adult.staff_id))
            for adult in team.staff
        ),
        _past_days(team, request.day),
        policy.history_days,
        contacts=[
            Contact(student, adult, 0, known=True)
            for student, adult in sorted(practice.marks)
            if student in team.members and adult in adults
        ],
    )
    needs = defaultdict(set)
    for candidate in candidates:
        needs[candidate.need.student].add(candidate.need.skill)
    names = {skill: skill_name(skills, skill) for skill in skill_ids}
    kept = [
        Pin(seat.student, seat.block, seat.session_type, seat.skill, seat.adult)
        for seat in request.kept  # an adult who is absent is a conflict, which is reported
        if seat.block in there.students[seat.student]
    ]
    book = read_rules(team.rules, request.rules, kept, DayFacts(order, there.students, there.staff, needs, names))
    rooms = list_rooms(team.rooms, chosen, len(team.members))
    problem = Problem(
        blocks=tuple(
            Block(
                block.block_id,
                f"{block.start:%H:%M}-{block.end:%H:%M}",
                at,
                chosen.skills_in(block.block_id, skills, skill_ids),
            )
            for at, block in enumerate(today)
        ),
        students=students,
        adults=remembered.adults,
        recent_groupmates=remembered.recent_groupmates,
        contacts=remembered.contacts,
        wishes=state_wishes(practice.wishes, request.day, team.members, adults, skill_ids, rooms or ()),
        skills=tuple(Skill(skill, name) for skill, name in names.items()),
        rooms=rooms,
        effects=policy.effects_for(adult.role for adult in team.staff),
        needs=tuple(favor_goals(urgent, practice.goals, policy.need.goal_more)),
        keep_apart=tuple(sorted(book.apart)),
        keep_together=_pairs(rules, "keep_together"),
        adult_exclusions=chosen.adult_exclusions,
        pins=tuple(book.pins),
        previous=tuple(
            seat
            for seat in request.previous
            if seat.student in team.members and seat.block in order and (seat.adult is None or seat.adult in adults)
        ),
        weights=chosen.weights(policy.weights, request.move_penalty),
        sizes=chosen.sizes,
        size_curve=chosen.size_curve,
        most_social_cost=chosen.settings["most_social_cost"],
        students_per_monitor=chosen.settings["students_per_monitor"],
        coaching=tuple(_list_coaching(team, weekday, there, chosen, stages)),
    )
    return StatedDay(problem, book, chosen, book.notes if rooms else (*book.notes, NO_ROOMS))


def skill_name(skills: SkillMap, skill: str) -> str:
    """The name of a skill, or its id where no name is known."""
    known = skills.skills.get(skill)
    return skill if known is None or known.name is None else known.name


def _list_carried_skills(team: Team, request: DayRequest) -> set[str]:
    """The skills of series and of the grouping of a cycle, which the day may be about whoever needs them."""
    skills = {skill for series in (*team.series, *request.series) for skill in series.skills}
    if request.grouping is not None:
        skills |= {session.skill for session in request.grouping.sessions if session.skill is not None}
    return skills


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


def _require_sound_series(team: Team, request: DayRequest) -> None:
    """Refuses a series of the request as the roster would."""
    members, adults = set(team.members), {adult.staff_id: adult for adult in team.staff}
    for at, series in enumerate(request.series):
        path = f"series[{at}]"
        if not set(series.students) <= members:
            raise RequestError("unknown_student", f"{path}: a student named there is not in the team", field=path)
        if series.staff_id not in adults:
            detail = f"{path}: {series.staff_id!r} is not an adult of the team"
            raise RequestError("unknown_staff", detail, field=path)
        for column, what in (*find_mistakes(series, adults), *find_misfits(series, team.blocks)):
            field = f"{path}.{BODY_FIELDS.get(column, column)}"
            raise RequestError("series", f"{field}: {what}", field=field)


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


def _adult(
    staff: Staff,
    blocks: frozenset[str],
    adults: set[str],
    skills: Sequence[str],
    chosen: DayPolicy,
    stage_most: int | None,
) -> Adult:
    unsupervised = staff.role == Role.TEACHER_IN_TRAINING and not chosen.settings["trainees_supervised"]
    return Adult(
        id=staff.staff_id,
        role=staff.role,
        blocks=blocks,
        session_types=frozenset(SessionType(session_type) for session_type in staff.may_lead),
        skills=None if staff.skills is None else {skill: 1.0 for skill in staff.skills if skill in skills},
        max_group=staff.max_group or chosen.settings["most_by_role"].get(staff.role),
        certified=staff.certified,
        coach=staff.coach if staff.coach in adults else None,
        in_training=False if unsupervised else None,
        supervises=False if unsupervised else None,
        stage_most=stage_most,
    )


def _student(
    student: str, there: _Attendance, chosen: DayPolicy, due: Collection[str], group_due: Collection[str]
) -> Student:
    return Student(
        student,
        there.students[student],
        needs_certified=student in chosen.needs_certified,
        adult_time_due=student in due,
        group_time_due=student in group_due,
    )


def _pairs(rules: Sequence[Rule], kind: str) -> tuple[tuple[str, str], ...]:
    found = {pair for rule in rules if rule.kind == kind for pair in combinations(sorted(set(rule.students)), 2)}
    return tuple(sorted(found))


def _list_coaching(
    team: Team, weekday: str, there: _Attendance, chosen: DayPolicy, stages: Mapping[str, int | None]
) -> Iterator[Coaching]:
    """Yields the sessions that each coach and trainee should share today, where both are there in some block.

    Past sessions name one adult, so that it is not known what was coached: the sessions of a week are spread evenly
    over the weekdays on which the team has blocks, and what a day misses is not made up for. Who leads nothing yet, by
    their stage, should be in a session of the coach whenever both are there, and is not observed.
    """
    days = _weekdays(team)
    at = days.index(weekday)

    def spread(per_week: int) -> int:
        return per_week * (at + 1) // len(days) - per_week * at // len(days)

    paired: set[frozenset[str]] = set()
    for trainee in team.staff:
        coach = trainee.coach
        shared = () if coach is None else there.staff[coach] & there.staff[trainee.staff_id]
        if coach is None or not shared:
            continue
        leads = stages.get(trainee.staff_id) != 0
        sessions = spread(chosen.settings["coaching_per_week"]) if leads else len(shared)
        pair = frozenset((coach, trainee.staff_id))
        if sessions and pair not in paired:
            yield Coaching(coach, trainee.staff_id, sessions)
        paired.add(pair)
        observations = spread(chosen.settings["observations_per_week"])
        if observations and leads:
            yield Coaching(coach, trainee.staff_id, observations, observes=True)


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
