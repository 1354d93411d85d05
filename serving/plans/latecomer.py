"""A late or new student as one of a day that is planned already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from features.roster import SkillMap, Team
from serving.access.caller import Caller
from serving.access.visibility import find_roster
from serving.errors import RequestError
from serving.grouping import Need, Problem, SeatOptions, Session, Student, rank_seat_options
from serving.models.forecasts import forecast_students
from serving.models.snapshot import Snapshot
from serving.plans.needs import list_candidates
from serving.plans.policy import NeedPolicy, load_planning
from serving.plans.recommend import Planner
from serving.plans.sessions import read_sessions
from serving.plans.stored_plan import StoredDay
from serving.schemas.changes import PlacementRequest

Source = Literal["plan", "forecasts", "nothing"]


@dataclass(frozen=True)
class Latecomer:
    """The day with the student there.

    Attributes:
        problem: The day.
        blocks: In which to find a place, in the order of the day.
        needs_from: The plan knew the student; or forecasts do; or nobody does.
    """

    problem: Problem
    blocks: tuple[str, ...]
    needs_from: Source


@dataclass(frozen=True)
class Known:
    """What is known of students now, for those whom a plan does not know.

    Attributes:
        team: As the roster holds it now.
        skills: Prerequisites.
        snapshot: Models and profiles.
        policy: How need is computed.
        recent_days: How far back practice counts as current.
        max_candidates: Candidate skills per student.
    """

    team: Team
    skills: SkillMap
    snapshot: Snapshot
    policy: NeedPolicy
    recent_days: int
    max_candidates: int

    def needs_of(self, student: str) -> list[Need]:
        """The needs of a member of the team; none of anybody else, whose profile may be another school's."""
        if student not in self.team.members:
            return []
        forecasts = forecast_students(self.snapshot, self.team.members, self.recent_days)
        found = list_candidates(self.team, self.skills, forecasts, self.policy, self.max_candidates)
        return [each.need for each in found if each.need.student == student]


def place_latecomer(
    planner: Planner, caller: Caller, day: StoredDay, body: PlacementRequest
) -> tuple[Latecomer, SeatOptions]:
    """The day with a late or new student there, and every seat the student could take, the best first.

    Raises:
        RequestError: The day has no such block, or a session names what the day does not have.
        NotReadyError: The student is not in the plan, and there is no model or no roster to tell needs from.
        QueueFullError: Too many requests wait for the solver.
    """

    def know() -> Known:
        team, roster = find_roster(planner.rosters, caller, day.answer.team_id)
        needs, settings = load_planning().need, planner.settings
        return Known(team, roster.skills, planner.served(), needs, settings.recent_days, settings.max_candidates)

    late = add_student(day.problem, day.current, body.student_id, body.block_ids, know)
    sessions = day.current if body.sessions is None else read_sessions(late.problem, body.sessions)
    with planner.queue.acquire():
        return late, rank_seat_options(late.problem, sessions, body.student_id, late.blocks)


def add_student(
    problem: Problem,
    sessions: Sequence[Session],
    student: str,
    blocks: Sequence[str] | None,
    known: Callable[[], Known],
) -> Latecomer:
    """The day with the student there in some blocks.

    Args:
        problem: The day as it was planned.
        sessions: As they are held.
        student: Id of anybody.
        blocks: Ids; null: all in which the plan has the student, and all of the day for one it does not have.
        known: Asked only about a student whom the plan does not have.

    Raises:
        RequestError: The day has no such block.
    """
    day = [block.id for block in problem.blocks]
    for at, block in enumerate(blocks or ()):
        if block not in day:
            told = f"block_ids[{at}]: block {block!r} is not one of {', '.join(day)}"
            raise RequestError("unknown_block", told, field=f"block_ids[{at}]")
    planned = next((each for each in problem.students if each.id == student), None)
    usual = planned.blocks if planned is not None and planned.blocks else frozenset(day)
    asked = tuple(block for block in day if block in (usual if blocks is None else blocks))
    if planned is not None:
        there = replace(planned, blocks=planned.blocks | frozenset(asked))
        students = (*(each for each in problem.students if each.id != student), there)
        return Latecomer(replace(problem, students=students), asked, "plan")
    now = known()
    needs, source = _needs(problem, sessions, student, now)
    others = {each.id for each in problem.students}
    apart = [
        (student, other)
        for rule in now.team.rules
        if rule.kind == "keep_apart" and student in rule.students
        for other in rule.students
        if other in others
    ]
    joined = replace(
        problem,
        students=(*problem.students, Student(student, frozenset(asked))),
        needs=(*problem.needs, *needs),
        keep_apart=(*problem.keep_apart, *apart),
    )
    return Latecomer(joined, asked, source)


def _needs(problem: Problem, sessions: Sequence[Session], student: str, known: Known) -> tuple[list[Need], Source]:
    """Needs of a student whom the plan does not have, of skills that the day works on."""
    day = {skill.id for skill in problem.skills}
    forecast = [need for need in known.needs_of(student) if need.skill in day]
    if forecast:
        return forecast, "forecasts"
    held = sorted({session.skill for session in sessions if session.skill is not None})
    return [Need(student, skill, known.policy.unknown) for skill in held], "nothing"
