"""What is noted on the board around the plan: after a session, goals, choices, and who knows a student."""

import re
from datetime import date, timedelta

from serving.access.caller import Caller, Scope
from serving.plans.edits.edited_day import open_edit
from serving.plans.practice.goals import read_goals
from serving.plans.practice.session_reports import SOURCE
from serving.store.practice.relationships import read_marks
from serving.store.practice.session_reports import read_reports

EVERYBODY = Caller("0" * 16, frozenset(Scope))
LATER = str(date.today() + timedelta(days=30))  # noqa: DTZ011 - as the service sees the day


def test_after_a_session_attendance_and_exit_check_are_written_down(board):
    someone = board.suggested("2026-04-20")
    plan_id = someone.plan_id
    assert "After the session" not in someone.page.text
    someone.send(f"/board/plans/{plan_id}/decision", decision="accept")
    session = next(s for s in open_edit(board.database, EVERYBODY, plan_id).sessions if s.led and len(s.students) > 2)
    address = f"/board/plans/{plan_id}/reports"
    assert f"{address}?session_id={session.id}" in someone.page.text
    absent, right, wrong, *others = session.students
    someone.open(f"{address}?session_id={session.id}")
    assert f"Right answers of Name of {right}" in someone.page.text

    form = {"session_id": session.id, "happened": "moved_on", "asked": "2", "present": [right, wrong, *others]}
    someone.send(address, **form, right=[f"2:{right}", f"0:{wrong}"])

    assert "It is written down." in someone.page.text
    assert f'value="2:{right}" selected' in someone.page.text
    with board.database.reading() as connection:
        (report,) = read_reports(connection, plan_id)
    assert {each.student_id for each in report.students if not each.present} == {absent}
    checks = {each.student_id: [answer.correct for answer in each.exit_check] for each in report.students}
    assert (checks[right], checks[wrong], checks[absent]) == ([True, True], [False, False], [])
    refused = someone.send(address, **form | {"happened": "not_done"}, right=[f"1:{right}"])
    assert (refused.status_code, "was not held has no exit check" in refused.text) == (422, True)
    for wrongly, why in (([f"3:{right}"], "more answers are right"), ([f"1:{absent}"], "has no exit check")):
        refused = someone.send(address, **form, right=wrongly)
        assert (refused.status_code, why in refused.text) == (422, True)


def test_a_day_that_does_not_count_has_no_form(board):
    someone = board.suggested("2026-04-27")
    session = open_edit(board.database, EVERYBODY, someone.plan_id).sessions[0]

    page = someone.open(f"/board/plans/{someone.plan_id}/reports?session_id={session.id}")

    assert "This day does not count yet" in page.text
    assert "<form" not in page.text.split("<main")[1]
    assert SOURCE not in page.text


def test_goals_choices_and_marks_stand_on_the_students_page(board):
    someone, student, adult = board.person(), board.team.members[6], board.team.staff[0].staff_id
    page = f"/board/students/{student}"
    someone.open(page)
    skill = re.search(r'name="skill_id" value="([^"]*)"', someone.page.text)[1]

    someone.send(f"{page}/goals", kind="habit", habit="I ask.", skill_id=skill, staff_id=adult, until=LATER)
    assert "I ask., until" in someone.page.text
    someone.send(f"{page}/choices", skill_id=skill)
    assert "Chosen last:" in someone.page.text
    someone.send(f"{page}/relationships", staff_id=adult, known="yes")
    assert "by their own word" in someone.page.text
    with board.database.reading() as connection:
        assert read_marks(connection, [student]) == {(student, adult)}
    listed = someone.open(f"/board/students?team_id={board.team.team_id}").text
    assert "Goal: I ask., until" in listed
    someone.open(page)
    someone.send(f"{page}/relationships", staff_id=adult, known="no")
    assert "by their own word" not in someone.page.text
    (goal,) = read_goals(board.database, student)
    someone.send(f"{page}/goals/end", goal_id=goal.goal_id, reached="yes")
    assert "reached on" in someone.page.text
    refused = someone.send(f"{page}/goals", kind="minutes", minutes_per_week="1", staff_id=adult, until=LATER)
    assert refused.status_code == 422
    assert "5 to 1,200 minutes" in refused.text


def test_an_observation_is_written_by_the_observer_and_read_by_the_pair_alone(board):
    observer = board.team.staff[0].staff_id
    someone = board.suggested("2026-05-11", "adult")
    plan_id = someone.plan_id
    someone.send(f"/board/plans/{plan_id}/decision", decision="accept")
    sessions = open_edit(board.database, EVERYBODY, plan_id).sessions
    session = next(s for s in sessions if s.led and observer not in s.adults)
    where = f"/board/plans/{plan_id}/reports?session_id={session.id}"
    assert "What a colleague saw" not in board.person().open(where).text
    someone.open(where)
    assert someone.page.text.count("Who observed") == 1
    assert f'<option value="{observer}">Name of {observer}' in someone.page.text

    seen = {"session_id": session.id, "observer_id": observer, "observed_id": session.adults[0], "aim": "Wait time."}
    someone.send(f"/board/plans/{plan_id}/observations", **seen, next_step="Count to five.")

    assert "The observation is kept." in someone.page.text
    week = f"/board/week?team_id={board.team.team_id}&date=2026-05-11"
    words = f"Name of {observer} observed Name of {session.adults[0]}"
    assert [words in board.person(key).open(week).text for key in ("adult", "leader", "all")] == [True, True, False]
    other = board.person()
    other.open(where)
    assert other.send(f"/board/plans/{plan_id}/observations", **seen).status_code == 403


def test_the_leader_writes_and_signs_stages_and_a_move_beyond_them_is_refused(board):
    trainee = next(adult for adult in board.team.staff if adult.coach)
    page = f"/board/growth?team_id={board.team.team_id}"
    assert "No adult has a timeline" in board.person().open(page).text
    someone = board.person("leader")
    someone.open(page)
    named = {"team_id": board.team.team_id, "staff_id": trainee.staff_id}

    someone.send("/board/growth/timeline", **named, observe="2026-03-02", lead_2="2026-04-06", own_groups="2026-06-01")
    assert "<strong>observes the coach</strong>, now" in someone.page.text
    assert "leads up to 2 students: planned from Mon 6 Apr, not signed," in someone.page.text
    someone.send("/board/growth/sign", **named, stage="lead", most="2")

    assert "<strong>leads up to 2 students</strong>, now: planned from Mon 6 Apr, signed on" in someone.page.text
    refused = board.person()
    refused.open(page)
    assert "Sign<" not in refused.page.text
    assert refused.send("/board/growth/sign", **named, stage="own_groups").status_code == 403
    planner = board.suggested(str(date.today() + timedelta(days=(7 - date.today().weekday()) % 7)))  # noqa: DTZ011
    sessions = open_edit(board.database, EVERYBODY, planner.plan_id).sessions
    session = next(s for s in sessions if s.led and len(s.students) > 2)
    planner.send(f"/board/plans/{planner.plan_id}/changes", session_id=session.id, staff_id=trainee.staff_id)
    assert planner.page.status_code == 422
    assert "is at a stage of at most 2" in planner.page.text
    someone.open(page)
    someone.send("/board/growth/timeline", **named)


def test_wishes_stand_on_the_students_page_until_they_end(board):
    someone, student, other = board.person(), board.team.members[8], board.team.members[9]
    page = f"/board/students/{student}"
    someone.open(page)

    someone.send(f"{page}/wishes", other_student_id=other, staff_id="", skill_id="", until=LATER)

    assert f"to work with Name of {other}, until" in someone.page.text
    assert ": met on 0 days" in someone.page.text
    someone.send(f"{page}/wishes/end", wish_id=someone.read("wish_id"))
    assert ", ended on" in someone.page.text
    room = board.team.rooms[0].room_id
    someone.send(f"{page}/wishes", room_id=room, until=LATER)
    assert f"to work in {room}, until" in someone.page.text
    refused = someone.send(f"{page}/wishes", until=LATER)
    assert (refused.status_code, "one: somebody to work with" in refused.text) == (422, True)


def test_who_asks_for_help_waits_on_the_page_until_somebody_came(board):
    someone = board.suggested("2026-05-18")
    plan_id, address = someone.plan_id, f"/board/plans/{someone.plan_id}/help"
    assert "Who asks for help" not in someone.page.text
    assert "once the day is accepted" in board.person().open(address).text
    someone.send(f"/board/plans/{plan_id}/decision", decision="accept")
    assert address in someone.page.text
    session = next(s for s in open_edit(board.database, EVERYBODY, plan_id).sessions if not s.led)
    someone.open(address)
    assert "Nobody asked so far." in someone.page.text

    someone.send(address, student_id=session.students[0], block_id=session.block)

    assert "<strong>waits for 0 min</strong>" in someone.page.text
    assert f"Name of {session.adults[0]} came" in someone.page.text
    someone.send(f"{address}/end", request_id=someone.read("request_id"), staff_id=session.adults[0])
    assert f"waited 0 min, Name of {session.adults[0]} came" in someone.page.text
