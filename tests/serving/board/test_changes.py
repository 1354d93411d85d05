"""What people change on the board: moves, broken rules and repairs, locks, absences, the decision; two at once."""

import csv
import io
import re

import pytest

from features.roster import read_team
from serving.audit.entries import list_entries
from serving.board.changes import steps
from serving.schemas.edits import Edit, EditStep
from serving.schemas.sessions import SessionSeats
from serving.store.decisions import find_decision
from serving.store.forgetting import forget_in_text
from serving.store.recommendations import find_recommendation

TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (f"2026-03-{day}" for day in (17, 18, 19, 20))


def seats_of(board, plan_id):
    """The seats of a plan as it was suggested: session by student and block."""
    answer = find_recommendation(board.database, plan_id).answer
    return {(seat.student_id, s.block_id): s for s in answer.sessions for seat in s.students}


def move(someone, student, block, at=0):
    """Opens the seats of a student and takes one of them; returns its session."""
    someone.open(f"/board/plans/{someone.plan_id}/seats?student_id={student}&block_id={block}")
    sessions = re.findall(r'name="session_id" value="([^"]*)"', someone.page.text)
    plan_id = someone.plan_id
    someone.send(f"/board/plans/{plan_id}/moves", student_id=student, block_id=block, session_id=sessions[at])
    return sessions[at]


def test_the_day_shows_names_reasons_and_no_number_of_risk(board):
    someone = board.suggested()
    text = someone.page.text

    plan = find_recommendation(board.database, someone.plan_id).answer
    led = [session for session in plan.sessions if session.skill_id is not None]
    assert led
    for session in led:
        assert session.skill in text
        assert session.why.split(" ")[0] in text
    assert all(f"Name of {student}" in text for student in board.team.members)
    assert "struggle_risk" not in text
    assert not re.search(r"risk", re.sub(r"<[^>]*>", "", text), re.IGNORECASE)
    hidden = board.suggested(key="no_names").page.text
    assert "Name of" not in hidden
    assert board.team.members[0] in hidden


def test_a_move_an_undo_and_what_the_page_says_of_them(board):
    someone = board.suggested(TUESDAY)
    plan_id = someone.plan_id
    (student, block), before = next(
        (where, session) for where, session in seats_of(board, plan_id).items() if session.skill_id is not None
    )

    target = move(someone, student, block)

    assert target != before.id
    assert someone.page.url.path == "/board/day"
    assert f"Name of {student} is now in" in someone.page.text
    assert "All changes together:" in someone.page.text
    assert "1 changed seat" in someone.page.text
    someone.send(f"/board/plans/{plan_id}/undo")
    assert "The last step is undone." in someone.page.text
    assert "changed seat" not in someone.page.text


def test_the_second_of_two_adults_is_told_and_nothing_is_overwritten(board):
    first, second = board.suggested(TUESDAY), board.suggested(TUESDAY, "second")
    plan_id = first.plan_id
    (student, block), _ = next(iter(seats_of(board, plan_id).items()))
    other = next(name for name, where in seats_of(board, plan_id) if name != student and where == block)
    second.open(f"/board/plans/{plan_id}/seats?student_id={other}&block_id={block}")
    stale = second.page

    target = move(first, student, block)
    second.page = stale
    answer = second.send(f"/board/plans/{plan_id}/moves", student_id=other, block_id=block, session_id=target)

    assert answer.status_code == 409
    assert "somebody else changed or decided this plan" in answer.text
    assert f"Name of {other} is now" not in answer.text
    assert "1 changed seat" in answer.text  # the page of the refusal shows the first one's change
    again = second.send(f"/board/plans/{plan_id}/moves", student_id=other, block_id=block, session_id=target)
    assert again.status_code == 200
    first.open(board.day(TUESDAY))
    first.send(f"/board/plans/{plan_id}/decision", decision="accept")
    assert second.send(f"/board/plans/{plan_id}/undo").status_code == 409


def test_a_broken_rule_is_said_at_once_with_a_repair_that_can_be_made(board, monkeypatch):
    monkeypatch.setattr(steps, "REPAIR_S", 30.0)  # a busy machine takes longer
    someone = board.suggested(WEDNESDAY)
    plan_id = someone.plan_id
    seats = seats_of(board, plan_id)
    groups = {s.id: s for s in seats.values() if s.session_type == "small_group"}
    full = max(groups.values(), key=lambda session: len(session.students))
    online = [name for (name, block), s in seats.items() if block == full.block_id and s.skill_id is None]
    sizes = find_recommendation(board.database, plan_id).problem().sizes
    most = max(bound.most for bound in sizes if bound.session_type == "small_group")
    for student in online[: most + 1 - len(full.students)]:
        someone.send(f"/board/plans/{plan_id}/moves", student_id=student, block_id=full.block_id, session_id=full.id)

    assert re.search(r"rules? (is|are) broken", someone.page.text)
    someone.open(f"/board/plans/{plan_id}/repair")
    assert "The smallest repair moves" in someone.page.text
    someone.send(f"/board/plans/{plan_id}/repair")

    assert "The repair is made." in someone.page.text
    assert not re.search(r"rules? (is|are) broken", someone.page.text)


def test_a_new_suggestion_keeps_what_is_locked_and_moved_without_who_is_absent(board):
    someone = board.suggested(THURSDAY)
    plan_id = someone.plan_id
    seats = seats_of(board, plan_id)
    locked = next(s for s in seats.values() if s.skill_id is not None)
    absent = next(name for name in board.team.members if name not in {seat.student_id for seat in locked.students})
    someone.send(f"/board/plans/{plan_id}/locks", session_id=locked.id, locked="yes")
    assert "The session is locked." in someone.page.text

    someone.send(f"/board/plans/{plan_id}/suggestion", student_id=absent)

    assert someone.page.status_code == 200
    new = find_recommendation(board.database, someone.plan_id).answer
    assert new.previous == plan_id
    assert absent not in {name for name, _ in seats_of(board, new.id)}
    kept = [
        s
        for s in new.sessions
        if (s.block_id, s.skill_id, s.adults[0].staff_id if s.adults else None)
        == (locked.block_id, locked.skill_id, locked.adults[0].staff_id)
    ]
    assert {seat.student_id for seat in locked.students} <= {seat.student_id for s in kept for seat in s.students}
    assert f"Away: Name of {absent}." in someone.page.text
    someone.send(f"/board/plans/{new.id}/decision", decision="reject")
    assert someone.plan_id == plan_id  # the suggestion before is back, with its lock
    assert "Locked" in someone.page.text


def test_an_adult_who_is_absent_leads_nothing(board):
    someone = board.suggested(THURSDAY)
    adult = board.team.staff[0].staff_id

    someone.send(f"/board/plans/{someone.plan_id}/suggestion", staff_id=adult)

    new = find_recommendation(board.database, someone.plan_id).answer
    assert adult not in {each.staff_id for session in new.sessions for each in session.adults}
    assert f"Name of {adult}" in re.search(r"Away: [^<]*", someone.page.text)[0]


def test_a_decision_is_the_one_that_the_api_keeps(board):
    someone = board.suggested(FRIDAY)
    plan_id = someone.plan_id
    (student, block), _ = next(
        (where, session) for where, session in seats_of(board, plan_id).items() if session.skill_id is not None
    )
    target = move(someone, student, block)

    someone.send(f"/board/plans/{plan_id}/decision", decision="accept", note="A calmer group.")

    assert "Accepted</strong> with your changes" in someone.page.text
    decision = find_decision(board.database, plan_id)
    assert (decision.decision, decision.note) == ("edited", "A calmer group.")
    assert decision.key_id == board.keys["all"].split("_")[1]
    assert f'"{target}"' in decision.sessions
    held = [s for s in read_team(board.database, board.team.team_id).past_sessions if str(s.date) == FRIDAY]
    assert held
    board.app.state.audit.flush()
    actions = [entry.action for entry in list_entries(board.database) if entry.subject == plan_id]
    for action in ("suggest", "read_recommendation", "rank_seat_options", "change_plan", "evaluate", "decide"):
        assert action in actions, action
    again = someone.send(f"/board/plans/{plan_id}/decision", decision="accept")
    assert again.status_code in {404, 409, 422, 403}


@pytest.mark.parametrize(
    ("action", "fields", "why"),
    [
        ("moves", {"student_id": "nobody", "block_id": "b", "session_id": "s"}, "not there in this block"),
        ("locks", {"session_id": "nothing", "locked": "yes"}, "no such session"),
        ("decision", {"decision": "perhaps"}, "decision"),
        ("moves", {}, "Field required"),
        ("moves", {"version": "x", "student_id": "a", "block_id": "b", "session_id": "s"}, "version"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_with_the_field(board, action, fields, why):
    someone = board.suggested(WEDNESDAY)

    answer = someone.send(f"/board/plans/{someone.plan_id}/{action}", **fields)

    assert answer.status_code == 422
    assert why.lower() in answer.text.lower()


def test_sheets_and_a_table_have_every_seat_of_the_day(board):
    someone = board.suggested()
    plan_id = someone.plan_id
    seats = seats_of(board, plan_id)

    sheets = someone.open(f"/board/plans/{plan_id}/sheets").text
    by_room = someone.open(f"/board/plans/{plan_id}/sheets?by=room").text
    table = list(csv.DictReader(io.StringIO(someone.open(f"/board/plans/{plan_id}/day.csv").text)))

    assert len(table) == len(seats)
    assert {row["student"] for row in table} == {f"Name of {name}" for name, _ in seats}
    leads = {s.adults[0].staff_id for s in seats.values() if s.adults}
    assert all(re.search(rf"<h2 [^>]*>Name of {lead},", sheets) for lead in leads)
    assert all(f">{s.room}, " in by_room for s in seats.values() if s.room is not None)


def test_students_stand_with_strengths_before_needs(board):
    someone = board.person()
    listed = someone.open(f"/board/students?team_id={board.team.team_id}&order=name").text
    shown = re.findall(r'<th scope="row"><a [^>]*>([^<]*)<', listed)
    one = someone.open(f"/board/students/{board.team.members[0]}").text

    assert shown == sorted(f"Name of {name}" for name in board.team.members)
    assert listed.index("Strong in") < listed.index("Needs now")
    assert one.index("Strong in") < one.index("Working on")
    assert f"Name of {board.team.members[0]}" in one
    assert someone.open("/board/students/nobody").status_code == 404


def test_days_without_blocks_and_dates_that_are_none_say_what_to_do(board):
    someone = board.person()

    assert "No blocks" in someone.open(board.day("2026-03-15")).text
    assert someone.open(board.day("tomorrow")).status_code == 422
    assert "Answers count up to" in board.suggested("2026-03-30").page.text


def test_an_erased_student_is_in_no_step():
    session = SessionSeats(
        id="s", block_id="b", session_type="online", skill_id=None, adults=["a1"], room_id=None, students=["s1", "s2"]
    )
    alone = session.model_copy(update={"id": "t", "students": ["s1"]})
    steps = [
        EditStep(action="move", student_id="s1", block_id="b", sessions=[session, alone], locked=[]),
        EditStep(action="move", student_id="s2", block_id="b", sessions=[session, alone], locked=["s"]),
    ]

    left = Edit.model_validate_json(forget_in_text(Edit, Edit(steps=steps).model_dump_json(), ["s1"]))

    assert [step.student_id for step in left.steps] == ["s2"]
    assert [(each.id, each.students) for each in left.steps[0].sessions] == [("s", ["s2"])]
