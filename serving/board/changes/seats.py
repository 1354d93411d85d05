"""`/board/plans/{id}/seats`: where a student could be in a block, and with whom the student could change places."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Response

from serving.api.dependencies import PlanInPath
from serving.board.changes.take_step import make_router
from serving.board.day.page import CurrentDayPage, day_address
from serving.board.day.view import describe_seat, describe_violation, name_session
from serving.board.pages import render
from serving.board.words import Names, list_effects
from serving.grouping import Problem, Session, Violation, find_violations, read_seats
from serving.grouping.changes.seat_options import SeatOption
from serving.plans.edits.edited_day import EditedDay, to_bodies
from serving.plans.edits.steps import put_student
from serving.plans.latecomer import find_seat_options
from serving.schemas.changes import SeatOptionsRequest
from serving.schemas.texts import Identity

router = make_router()


@router.get("/{recommendation_id}/seats")
def show_seats(
    recommendation_id: PlanInPath,
    student_id: Annotated[Identity, Query()],
    block_id: Annotated[Identity, Query()],
    page: CurrentDayPage,
) -> Response:
    """The sessions to which a student can move in a block, the best first, and those that would break a rule."""
    edited, called = page.open(recommendation_id)
    problem, answer = edited.day.problem, edited.day.answer
    body = SeatOptionsRequest(student_id=student_id, block_ids=[block_id], sessions=to_bodies(edited))
    _, found = find_seat_options(page.planner, page.caller, edited.day, body)
    page.auditor.note("rank_seat_options", team_id=answer.team_id, student_id=student_id, subject=recommendation_id)
    here = next((each for each in edited.sessions if each.block == block_id and student_id in each.students), None)
    options = found.blocks[0]
    now = next((option for option in options if here is not None and option.session.id == here.id), None)
    met = next((term.value for term in answer.terms if term.name == "benefit"), 0.0)
    allowed = {option.session.id for option in options} | {"" if here is None else here.id}
    before = frozenset(find_violations(problem, edited.sessions))
    return render(
        page.request,
        "seats.html",
        answer=answer,
        edited=edited,
        student_id=student_id,
        block_id=block_id,
        name=called.student(student_id),
        time=next(block.label for block in problem.blocks if block.id == block_id),
        here=describe_seat(read_seats(edited.sessions).get((student_id, block_id)), edited, called),
        options=[
            {
                "session_id": option.session.id,
                "title": name_session(option.session, edited, called),
                "size": len(option.session.students),
                "effects": "; ".join(list_effects(_against(option, now), met)),
            }
            for option in options
            if here is None or option.session.id != here.id
        ],
        others=[
            {
                "session_id": each.id,
                "title": name_session(each, edited, called),
                "size": len(each.students) + 1,
                "why": _say_what_breaks(edited, before, each, student_id, called),
            }
            for each in edited.sessions
            if each.block == block_id and each.id not in allowed
        ],
        partners=[] if here is None else _list_partners(edited, here, student_id, called),
        back=day_address(answer.team_id, answer.date),
    )


def _say_what_breaks(
    edited: EditedDay, before: frozenset[Violation], session: Session, student_id: str, called: Names
) -> str:
    """The first rule that the student's move to a session would break, and the day breaks not yet."""
    moved = put_student(edited.sessions, session, student_id)
    new = (each for each in find_violations(edited.day.problem, moved) if each not in before)
    first = next(new, None)
    return "meets no need" if first is None else f"Then {describe_violation(first.sentence, edited, called)}"


def _list_partners(
    edited: EditedDay, here: Session, student_id: str, called: Names
) -> list[tuple[str, list[dict[str, str]]]]:
    """Students of other sessions of the block, first those with whom both keep working on a need."""
    problem = edited.day.problem
    needs = {(need.student, need.skill): need.need for need in problem.needs}
    fitting: list[tuple[float, dict[str, str]]] = []
    others: list[tuple[float, dict[str, str]]] = []
    for session in edited.sessions:
        if session.block != here.block or session.id == here.id:
            continue
        for other in session.students:
            gain = _gain(needs, (student_id, here.skill, session.skill), (other, session.skill, here.skill))
            option = {
                "student_id": other,
                "name": f"{called.student(other)}, now in {name_session(session, edited, called)}",
            }
            fits = _fits(problem, needs, student_id, session) and _fits(problem, needs, other, here)
            (fitting if fits else others).append((gain, option))
    groups = [("Both work on what they need", fitting), ("Others", others)]
    return [
        (words, [option for _, option in sorted(found, key=lambda each: -each[0])]) for words, found in groups if found
    ]


def _gain(needs: Mapping[tuple[str, str], float], *moves: tuple[str, str | None, str | None]) -> float:
    """The need that moves from one skill to another meet more; independent work meets none."""
    return sum(needs.get((who, new or ""), 0.0) - needs.get((who, old or ""), 0.0) for who, old, new in moves)


def _fits(problem: Problem, needs: Mapping[tuple[str, str], float], student: str, session: Session) -> bool:
    """Whether a student could sit in a session by need and adult."""
    excluded = bool(session.adults) and session.led and (student, session.adults[0]) in problem.adult_exclusions
    return not excluded and (session.skill is None or (student, session.skill) in needs)


def _against(option: SeatOption, now: SeatOption | None) -> list[tuple[str, float, float]]:
    """What a seat does to each term, against the seat that the student has now."""
    before: dict[str, Any] = {} if now is None else {term.name: term for term in now.score_impact.terms}
    after: dict[str, Any] = {term.name: term for term in option.score_impact.terms}
    changes = []
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        value = (new.value if new else 0.0) - (old.value if old else 0.0)
        points = (new.points if new else 0.0) - (old.points if old else 0.0)
        changes.append((name, value, points))
    return sorted(changes, key=lambda change: -abs(change[2]))
