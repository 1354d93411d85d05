"""Any edit of a plan is evaluated, or refused with the field named."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from serving import formats
from serving.api.responses.changes import to_evaluation
from serving.errors import RequestError
from serving.formats import read_instance
from serving.grouping.changes.seat_options import rank_seat_options
from serving.grouping.solve import suggest_groups
from serving.plans import stored_plan
from serving.plans.edits.edited_day import EditedDay
from serving.plans.edits.steps import make_step
from serving.plans.edits.suggest import take_plan
from serving.plans.sessions import read_aims, read_sessions, to_session_seats
from serving.plans.stored_plan import StoredDay, judge_edit
from serving.schemas.sessions import SessionIn


@pytest.fixture(scope="module")
def problem():
    return read_instance(Path(formats.__file__).with_name("day.example.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def suggested(problem):
    return suggest_groups(problem).sessions


def some(*values):
    return st.sampled_from(values)


STUDENTS = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn")
ANY = {
    "id": some("a", "b", "c", "d"),
    "block_id": some("m1", "m2"),
    "room_id": some(None, "library", "r12"),
    "students": st.lists(some(*STUDENTS), max_size=6),
}
ADULT_LED = st.builds(
    SessionIn,
    session_type=some("small_group", "tutoring", "collaborative"),
    skill_id=some("fractions", "ratios"),
    adults=st.lists(some("lead", "tutor"), min_size=1, max_size=3),
    **ANY,
)
ONLINE = st.builds(SessionIn, session_type=st.just("online"), adults=st.lists(some("lead", "tutor"), max_size=2), **ANY)
ODD = st.builds(
    SessionIn,
    session_type=some("small_group", "online"),
    skill_id=some(None, "ratios", "history"),
    adults=st.lists(some("lead", "king"), max_size=2),
    **ANY,
)
DAYS = st.lists(ADULT_LED | ONLINE, max_size=4, unique_by=lambda session: session.id) | st.lists(
    ADULT_LED | ODD, max_size=3
)


def read_or_refuse(problem, given_sessions):
    """The sessions, or the field that is not right."""
    try:
        return read_sessions(problem, given_sessions)
    except RequestError as error:
        return error.more["field"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DAYS)
def test_any_sessions_are_evaluated_and_joined_or_refused_by_name(problem, suggested, given_sessions):
    """A repair keeps every rule, scores agree, and a student is seated without making anything worse."""
    edited = read_or_refuse(problem, given_sessions)
    if isinstance(edited, str):
        assert edited.startswith("sessions")
        return

    evaluation = to_evaluation("id", *judge_edit(problem, edited, suggested, repair=True))
    ranked = rank_seat_options(problem, edited, "Ada")

    assert evaluation.score == pytest.approx(sum(term.points for term in evaluation.terms))
    assert evaluation.keeps_rules == (evaluation.violations == [])
    if evaluation.repair is not None:
        repaired = read_sessions(
            problem, [SessionIn.model_validate(s.model_dump()) for s in evaluation.repair.sessions]
        )
        assert judge_edit(problem, repaired, suggested, repair=False)[0].violations == ()
    assert ranked.best is None or len(ranked.best) == 2


def test_beyond_many_moves_only_the_whole_edit_has_a_score_impact(problem, suggested, monkeypatch):
    monkeypatch.setattr(stored_plan, "MOST_EVALUATED", 1)
    online = next(s for s in to_session_seats(suggested) if s.session_type == "online")
    block = [s.model_dump() for s in to_session_seats(suggested) if s.block_id != online.block_id]
    everybody = online.model_dump() | {"students": list(STUDENTS)}

    edited = read_sessions(problem, [SessionIn.model_validate(s) for s in [*block, everybody]])
    evaluation = to_evaluation("id", *judge_edit(problem, edited, suggested, repair=False))

    assert len(evaluation.changes) > 1
    assert evaluation.score_impact is not None
    assert [change.score_impact for change in evaluation.changes] == [None] * len(evaluation.changes)


def test_a_session_takes_adults_and_students_by_id_or_as_a_plan_tells_them():
    whole = {
        "id": "a",
        "block_id": "m1",
        "session_type": "online",
        "adults": [{"staff_id": "lead", "role": "teacher_leader"}],
        "students": ["Ada", {"student_id": "Ben", "why": "…", "facts": []}],
    }

    session = SessionIn.model_validate(whole)

    assert [seat if isinstance(seat, str) else seat.student_id for seat in session.students] == ["Ada", "Ben"]
    with pytest.raises(ValidationError):
        SessionIn.model_validate(whole | {"students": [{"name": "Ben"}]})


def test_another_plan_takes_over_the_aims_and_locks_of_the_same_sessions_alone(problem, suggested):
    """An id says block, type and lead, so that a session on another skill may have it too."""
    kept, other = [session for session in suggested if session.led][:2]
    day = StoredDay(None, problem, suggested, suggested)
    aims = {kept.id: "Explain one step.", other.id: "A calm start."}
    before = make_step(EditedDay(day, None, "{}", 0, ()), "aim", suggested, locked=aims, aims=aims)

    step = take_plan(
        EditedDay(day, None, "{}", 1, (before,)), [replace(kept, id="renamed"), replace(other, skill="another")]
    )

    assert read_aims(step.sessions) == {"renamed": "Explain one step."}
    assert step.locked == ["renamed"]
