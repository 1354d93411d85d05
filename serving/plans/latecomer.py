"""A late or new student joins a day that is planned already."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from features.roster import Team
from serving.access.caller import Caller
from serving.access.visibility import find_roster
from serving.errors import RequestError
from serving.grouping import Need, Problem, Purpose, SeatOptions, Session, Student, rank_seat_options
from serving.plans.need.needs import find_candidates
from serving.plans.recommend import Planner
from serving.plans.rules.policy import load_policy
from serving.plans.sessions import read_sessions
from serving.plans.stored_plan import StoredDay
from serving.schemas.changes import SeatOptionsRequest

Source = Literal["plan", "forecasts", "nothing"]


@dataclass(frozen=True)
class Latecomer:
    """The day with the student there.

    Attributes:
        problem: The day.
        blocks: Ids of the blocks that need a seat for the student, in the order of the day.
        needs_from: Whether the student's needs are in the plan, come from forecasts, or are not known.
    """

    problem: Problem
    blocks: tuple[str, ...]
    needs_from: Source


def find_seat_options(
    planner: Planner, caller: Caller, day: StoredDay, body: SeatOptionsRequest
) -> tuple[Latecomer, SeatOptions]:
    """The day with a late or new student there, and every seat that the student could take, the best first.

    Raises:
        RequestError: The day has no such block, or a session names what the day does not have.
        NotReadyError: The student is not in the plan, and there is no model or no roster to compute needs from.
        QueueFullError: Too many requests wait for the solver.
    """

    def look_up() -> tuple[Team, list[Need]]:
        team, roster = find_roster(planner.rosters, caller, day.answer.team_id)
        if body.student_id not in team.members:  # the profile may be another school's
            return team, []
        policy, settings = load_policy().need, planner.settings
        candidates = find_candidates(
            planner.served(), team, roster, policy, settings.recent_days, settings.max_candidates
        )
        return team, [candidate.need for candidate in candidates if candidate.need.student == body.student_id]

    latecomer = add_student(day.problem, day.current, body.student_id, body.block_ids, look_up)
    sessions = day.current if body.sessions is None else read_sessions(latecomer.problem, body.sessions)
    with planner.take_turn(caller, day.answer.team_id):
        until = time.perf_counter() + body.seconds
        return latecomer, rank_seat_options(latecomer.problem, sessions, body.student_id, latecomer.blocks, until)


def add_student(
    problem: Problem,
    sessions: Sequence[Session],
    student_id: str,
    block_ids: Sequence[str] | None,
    look_up: Callable[[], tuple[Team, list[Need]]],
) -> Latecomer:
    """The day with the student there in some blocks.

    Args:
        problem: The day as it was planned.
        sessions: The sessions as they will be held.
        student_id: Anybody's id.
        block_ids: Null: all in which the plan has the student, or all of the day for a student whom it does not have.
        look_up: Gives the team of now and the student's needs; called only for a student whom the plan does not have.

    Raises:
        RequestError: The day has no such block.
    """
    day = [block.id for block in problem.blocks]
    for at, block_id in enumerate(block_ids or ()):
        if block_id not in day:
            field = f"block_ids[{at}]"
            raise RequestError(
                "unknown_block", f"{field}: block {block_id!r} is not one of {', '.join(day)}", field=field
            )
    planned = next((student for student in problem.students if student.id == student_id), None)
    attended = set(day if planned is None or not planned.blocks else planned.blocks)
    blocks = tuple(block for block in day if block in (attended if block_ids is None else block_ids))
    if planned is not None:
        others = (student for student in problem.students if student.id != student_id)
        there = replace(planned, blocks=planned.blocks | frozenset(blocks))
        return Latecomer(replace(problem, students=(*others, there)), blocks, "plan")
    team, forecast = look_up()
    skills = {skill.id for skill in problem.skills}
    needs = [
        need if need.because_of in skills else replace(need, because_of=None)
        for need in forecast
        if need.skill in skills
    ]
    source: Source = "forecasts" if needs else "nothing"
    if not needs:
        taught = sorted({session.skill for session in sessions if session.skill is not None})
        points = load_policy().need.check_in
        needs = [Need(student_id, skill, points, purpose=Purpose.CHECK_IN) for skill in taught]
    members = {student.id for student in problem.students}
    pairs = [
        (student_id, other)
        for rule in team.rules
        if rule.kind == "keep_apart" and student_id in rule.students
        for other in rule.students
        if other in members
    ]
    adults = {adult.id for adult in problem.adults}
    excluded = {pair for layer in team.policies for pair in layer.adult_exclusions if pair[0] == student_id}
    certified = any(student_id in layer.needs_certified for layer in team.policies)
    joined = replace(
        problem,
        students=(*problem.students, Student(student_id, frozenset(blocks), needs_certified=certified)),
        adult_exclusions=(*problem.adult_exclusions, *sorted(pair for pair in excluded if pair[1] in adults)),
        needs=(*problem.needs, *needs),
        keep_apart=(*problem.keep_apart, *pairs),
    )
    return Latecomer(joined, blocks, source)
