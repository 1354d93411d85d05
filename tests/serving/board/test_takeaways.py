"""What people take along: workbooks, calendars under a secret address, a list of students; week and insight."""

import datetime as dt
import io
import re

import pytest
from fastapi.testclient import TestClient
from python_calamine import CalamineWorkbook

from features.home import Home
from features.roster import Block, PastSession, Series, Staff, Team
from serving.access.caller import Caller, Scope
from serving.audit.entries import list_entries
from serving.board.takeaways.xlsx import write_workbook
from serving.models.insight.comparison import LEAST_STUDENTS
from serving.plans.afterwards import After, Answer, count_after, read_answers
from serving.plans.coverage import Share, balance_adults, count_minutes, list_known_adults, measure_doses, sum_coached
from serving.plans.edits.edited_day import open_edit

EVERYBODY = Caller("0" * 16, frozenset(Scope))


def next_school_day():
    """The next day from today on that is no weekend."""
    day = dt.date.today()  # noqa: DTZ011 - as the board itself
    while day.weekday() > 4:
        day += dt.timedelta(days=1)
    return day


def unfold(text):
    """The lines of a calendar as they were before folding."""
    return text.replace("\r\n ", "").split("\r\n")


def test_a_workbook_has_the_rows_of_the_table_and_no_formula(board):
    someone = board.suggested()
    plan_id = someone.plan_id

    answer = someone.open(f"/board/plans/{plan_id}/day.xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()

    table = someone.open(f"/board/plans/{plan_id}/day.csv").text
    assert len(rows) == len(table.splitlines())
    assert rows[0][-2:] == ["student_id", "student"]
    assert {row[-1] for row in rows[1:]} <= {f"Name of {name}" for name in board.team.members}
    hidden = board.suggested(key="no_names").open(f"/board/plans/{plan_id}/day.xlsx").content
    hidden_rows = CalamineWorkbook.from_filelike(io.BytesIO(hidden)).get_sheet_by_index(0).to_python()
    assert {row[-1] for row in hidden_rows[1:]} == {""}
    tricky = write_workbook("A/B", [["=1+1", 'a "b" & <c>', "x\x00y"]])
    read = CalamineWorkbook.from_filelike(io.BytesIO(tricky)).get_sheet_by_index(0).to_python()
    assert read == [["=1+1", 'a "b" & <c>', "xy"]]


def test_a_list_has_each_student_once_with_the_places_of_the_day(board):
    someone = board.suggested()
    edited = open_edit(board.database, EVERYBODY, someone.plan_id)

    page = someone.open(f"/board/plans/{someone.plan_id}/sheets?by=student").text

    names = re.findall(r'<th scope="row">(Name of [^<]*)<', page)
    there = {student.id for student in edited.day.problem.students if student.blocks}
    assert names == sorted(f"Name of {student}" for student in there)
    assert page.count('<td data-label="') == len(there) * len(edited.day.problem.blocks)


def test_a_calendar_has_the_sessions_of_its_adult_until_it_is_revoked(board):
    day = next_school_day()
    someone = board.suggested(str(day))
    edited = open_edit(board.database, EVERYBODY, someone.plan_id)
    adult = next(session.adults[0] for session in edited.sessions if session.led)
    own = [session for session in edited.sessions if adult in session.adults]
    someone.open(f"/board/calendar?team_id={board.team.team_id}")
    someone.send("/board/calendar", team_id=board.team.team_id, staff_id=adult)
    address = "/" + re.search(r"<code>https?://[^/]*/([^<]*)</code>", someone.page.text)[1]
    program = TestClient(board.app)

    answer = program.get(address)

    assert answer.headers["content-type"].startswith("text/calendar")
    assert all(len(line.encode()) <= 75 for line in answer.text.split("\r\n"))
    lines = unfold(answer.text)
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") >= len(own)
    assert sum(line.startswith(f"DTSTART:{day:%Y%m%d}T") for line in lines) == len(own)
    assert "STATUS:TENTATIVE" in lines
    assert any(f"Name of {own[0].students[0]}" in line for line in lines if line.startswith("DESCRIPTION:"))
    board.app.state.audit.flush()
    read = [entry for entry in list_entries(board.database) if entry.action == "read_calendar"]
    assert read[-1].team_id == board.team.team_id
    assert program.get(address.replace(".ics", "0.ics")).status_code == 404
    assert program.get(address[:-5] + ("0" if address[-5] != "0" else "1") + ".ics").status_code == 404
    feed = re.search(r'name="feed_id" value="([^"]*)"', someone.page.text)[1]
    assert feed in address
    someone.send("/board/calendar/revocations", team_id=board.team.team_id, feed_id=feed)
    assert "The address is revoked." in someone.page.text
    assert program.get(address).status_code == 404


def test_a_calendar_made_without_names_has_none_and_says_when_a_day_counts(board):
    someone = board.suggested(str(next_school_day()), key="no_names")
    edited = open_edit(board.database, EVERYBODY, someone.plan_id)
    adult = next(session.adults[0] for session in edited.sessions if session.led)
    if edited.decision is None:
        someone.send(f"/board/plans/{someone.plan_id}/decision", decision="accept")
    someone.open(f"/board/calendar?team_id={board.team.team_id}")
    someone.send("/board/calendar", team_id=board.team.team_id, staff_id=adult)
    address = "/" + re.search(r"<code>https?://[^/]*/([^<]*)</code>", someone.page.text)[1]

    text = TestClient(board.app).get(address).text

    assert "Name of" not in text
    assert "STATUS:CONFIRMED" in text
    nobody = someone.send("/board/calendar", team_id=board.team.team_id, staff_id="nobody")
    assert nobody.status_code == 422


def test_the_week_shows_days_series_and_who_is_known(board):
    someone = board.suggested()

    page = someone.open(f"/board/week?team_id={board.team.team_id}&date=2026-03-16").text

    assert "suggested" in page or "accepted" in page
    assert page.count('scope="row"') >= 7
    assert "Who had an adult, and who is known" in page
    assert re.search(r"\d+ students were with two or more adults", page)
    assert "no plan yet" in someone.open(f"/board/week?team_id={board.team.team_id}&date=2031-03-17").text


def test_insight_is_about_skills_with_enough_students_and_names_nobody(board):
    someone = board.person()

    page = someone.open(f"/board/insight?team_id={board.team.team_id}").text

    counts = [int(count) for count in re.findall(r'data-label="Students: ">(\d+)<', page)]
    assert counts
    assert min(counts) >= LEAST_STUDENTS
    skills = page.partition("<h2>Skills of this team</h2>")[0]
    assert skills.count("<circle") == skills.count('data-label="Students: ">') > 0
    assert "<h2>Blocks</h2>" in page
    assert "<h2>Products</h2>" in page
    assert "Name of" not in page
    assert not [adult.staff_id for adult in board.team.staff if adult.staff_id in page]


def test_the_digest_is_one_page_on_the_board_and_names_nobody(board):
    someone = board.person()

    page = someone.open(f"/board/digest?team_id={board.team.team_id}").text

    assert "What to look at together" in page
    assert "Name of" not in page
    assert not [person for person in board.team.members if person in page]


@pytest.fixture
def small_team():
    blocks = tuple(Block(f"{day}-1", "t", day, dt.time(9), dt.time(9, 50)) for day in ("mon", "tue", "wed"))
    staff = (Staff("lead", "t", "teacher_leader", ()), Staff("new", "t", "teacher_in_training", (), coach="lead"))
    monday, tuesday = dt.date(2026, 3, 16), dt.date(2026, 3, 17)
    past = (
        PastSession(monday, "t", "mon-1", "lead", "ratios", ("a", "b")),
        PastSession(monday, "t", "mon-1", None, None, ("c",)),
        PastSession(tuesday, "t", "tue-1", "new", "ratios", ("a",)),
    )
    series = (
        Series("s", "t", ("a", "b"), "lead", ("ratios",), monday, sessions_per_week=2),
        Series("over", "t", ("c",), "lead", ("ratios",), monday, until=monday - dt.timedelta(days=1)),
    )
    return Team("t", "North", None, ("a", "b", "c"), staff, (), blocks, (), {}, past, series)


def test_minutes_adults_and_doses_are_counted_from_what_was_held(small_team):
    first, last = dt.date(2026, 3, 16), dt.date(2026, 3, 20)

    assert count_minutes(small_team, first, last) == {"a": 100, "b": 50, "c": 0}
    assert list_known_adults(small_team, last) == {"a": {"lead", "new"}, "b": {"lead"}, "c": set()}
    assert list_known_adults(small_team, first + dt.timedelta(weeks=4)) == {"a": {"new"}, "b": set(), "c": set()}
    (dose,) = measure_doses(small_team, first, last)
    assert (dose.wanted, dose.is_met) == ("1 of 2 sessions", False)
    assert dose.received_by("a") == "1 of 2 sessions"
    assert dose.received_by("new in it") == "0 of 2 sessions"
    assert sum_coached([("lead", "new")], [(("new", "lead"), 50), (("lead",), 50)]) == {("lead", "new"): 50}


def test_the_balance_has_each_adult_with_each_student(small_team):
    balance = balance_adults(small_team, dt.date(2026, 3, 16), dt.date(2026, 3, 20))

    assert balance.of_students == {
        ("a", "lead"): Share(1, 50),
        ("b", "lead"): Share(1, 50),
        ("a", "new"): Share(1, 50),
    }
    assert balance.of_adults == {"lead": Share(1, 50), "new": Share(1, 50)}
    assert balance.met == {"lead": {"a", "b"}, "new": {"a"}}


def test_the_balance_ranks_no_adult_and_shows_labels_only_where_they_are_asked_for(board):
    someone = board.person()
    last = max(past.date for past in board.team.past_sessions)
    address = f"/board/balance?team_id={board.team.team_id}&date={last}"

    page = someone.open(address).text

    columns = re.findall(r'scope="col">([^<]*)<', page.split("</thead>")[0])[2:]
    assert columns == sorted(f"Name of {adult.staff_id}" for adult in board.team.staff)
    everybody = balance_adults(board.team, last - dt.timedelta(days=27), last)
    had = sum(
        share.minutes for (student, _), share in everybody.of_students.items() if student == board.team.members[0]
    )
    assert had > 0
    row = page.split(f">Name of {board.team.members[0]}<")[1].split("</tr>")[0]
    assert re.search(r'"All: ">(\d+) min', row)[1] == str(had)
    by_role = someone.open(f"{address}&by=role&order=name").text
    assert "teacher leader" in by_role
    assert not [adult for adult in board.team.staff if f"Name of {adult.staff_id}" in by_role]
    someone.open(f"{address}&labels=yes")
    board.app.state.audit.flush()
    assert [entry.action for entry in list_entries(board.database)].count("show_labels") == 1


def test_what_came_after_a_session_is_counted_from_the_next_day_to_the_next_session():
    days = [dt.date(2026, 3, day) for day in (16, 17, 18, 19)]
    sessions = [
        PastSession(days[0], "t", "mon-1", "lead", "ratios", ("a",)),
        PastSession(days[2], "t", "wed-1", "lead", "ratios", ("a",)),
        PastSession(days[2], "t", "wed-2", "lead", None, ("a",)),
    ]
    answers = [
        Answer(days[0], ["ratios"], True),
        Answer(days[1], ["rates"], True),
        Answer(days[1], ["ratios"], False),
        Answer(days[2], ["rates", "ratios"], True),
        Answer(days[3], ["ratios"], True),
    ]

    assert count_after(sessions, answers) == [After(2, 1, days[2]), After(1, 1, None), None]


def test_a_students_page_says_what_came_after_and_not_that_it_came_from_it(board):
    past = next(each for each in board.team.past_sessions if each.staff_id and each.skill_id)
    student = past.students[0]

    page = board.person().open(f"/board/students/{student}").text

    answers = read_answers(Home(board.home), board.database, student)
    assert len(answers) == int(re.search(r"(\d+) questions answered", page)[1])
    assert "What came after need not have come from it." in page
    assert re.search(r"After it[^<]*: (\d+ of \d+ questions? right|no question on it)", page)
    assert read_answers(Home(board.home / "nothing"), board.database, student) is None


def test_the_list_of_students_has_doses_of_series_against_what_is_wanted(board):
    page = board.person().open(f"/board/students?team_id={board.signed_team}").text

    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    assert sum(": 0 of 3 sessions<" in row for row in rows) == 2
    known = board.person().open(f"/board/students?team_id={board.signed_team}&order=known").text
    assert '<option value="known" selected>' in known
    assert known.count(": 0 of 3 sessions<") == 2
    assert "0 of 3 sessions" in board.person().open(f"/board/week?team_id={board.signed_team}").text
