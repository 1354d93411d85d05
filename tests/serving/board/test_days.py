"""Days without a plan, and what the pages say instead; the planner's sentences without figures."""

import shutil
from datetime import UTC, date, datetime, time

import pytest
from fastapi.testclient import TestClient

from features.home import Home
from features.roster import Block, PolicyLayer, Team
from serving.app import create_app
from serving.board.day.data_state import describe_age, describe_night
from serving.board.day.page import next_day
from serving.board.words import speak_plainly
from serving.settings import Settings

MONDAY, TUESDAY, FRIDAY = date(2026, 3, 16), date(2026, 3, 17), date(2026, 3, 13)


def make_team(*closed):
    blocks = [Block(f"{day}-1", "t", day, time(9), time(10)) for day in ("mon", "tue", "fri")]
    policies = (PolicyLayer("", roster={"no_school": list(closed)}),)
    return Team("t", "North", None, (), (), (), tuple(blocks), (), {}, (), policies=policies)


def test_the_next_day_has_blocks_and_school():
    assert next_day(make_team(), FRIDAY, 1) == MONDAY
    assert next_day(make_team("2026-03-16"), FRIDAY, 1) == TUESDAY
    assert next_day(make_team(), MONDAY, -1) == FRIDAY
    assert next_day(make_team(), date(2026, 3, 15), 1, include=True) == MONDAY
    assert next_day(make_team("2026-03-01 to 2026-06-01"), FRIDAY, 1) == date(2026, 3, 14)


def test_without_a_model_the_board_says_what_is_missing_and_what_to_do(board, tmp_path):
    home = tmp_path / "home"  # without the copy of what served last
    shutil.copytree(board.home, home, ignore=shutil.ignore_patterns("served*"))
    app = create_app(Settings(REGROUP_HOME=home, bundle=tmp_path / "nothing"))
    with TestClient(app) as client:
        client.post("/board/sign-in", data={"key": board.keys["all"]})
        day = client.get(board.day("2026-04-20"))
        students = client.get(f"/board/students?team_id={board.team.team_id}")

    assert day.status_code == 200
    assert "No model yet" in day.text
    assert "python -m training nightly" in day.text
    assert "Suggest groups" not in day.text
    assert students.status_code == 503
    assert "No model yet" in students.text


@pytest.mark.parametrize(
    ("sentence", "plain"),
    [
        (
            "Reteach: struggle risk 96%, mastery 16% in Ratios 2; need 0.94; the student's greatest need.",
            "Reteach: Ratios 2; the student's greatest need.",
        ),
        (
            "Ratios (review, need 0.27) waits: its seats went to students at higher risk (54% to 97%, hers 44%).",
            "Ratios (review) waits: its seats went to students with a more pressing need.",
        ),
        (
            "6 students in need of Ratios (small group, review); it meets 1.11 need points and 6 urgent needs. 4 wait.",
            "6 students in need of Ratios (small group, review); it meets 6 urgent needs. 4 wait.",
        ),
        (
            "None is held; for Ratios (review), what else could be done was not looked at within the time limit.",
            "None is held.",
        ),
        (
            "Ratios (review) waits: the seats in its 3 sessions (Ms B, 9:30; Mr C, 9:30; Ms B, 10:40) went to others.",
            "Ratios (review) waits: the seats in its 3 sessions went to others.",
        ),
        ("Works online: it would meet 0.11 more need, and cost 0.02: a risk.", ""),
    ],
)
def test_no_sentence_keeps_a_figure_of_risk_or_need(sentence, plain):
    assert speak_plainly(sentence) == plain


def test_a_night_that_was_stopped_is_told_until_the_next_one_is_well(tmp_path):
    home = Home(tmp_path)
    assert describe_night(home) is None
    home.decisions.mkdir()
    (home.decisions / "2026-03-13-0a.md").write_text("# Night 2026-03-13: Act now\n\nNobody's answers came in.\n")

    told = describe_night(home)
    (home.decisions / "2026-03-14-0b.md").write_text("# Night 2026-03-14: Worth a look\n\nThe champion stays.\n")

    assert told.startswith("The night of Friday 13 March was stopped")
    assert describe_night(home) is None


def test_the_board_shows_a_stopped_night_on_every_day(board):
    records = board.home / "decisions"
    records.mkdir(exist_ok=True)
    path = records / "2999-01-01-0c.md"
    path.write_text("# Night 2999-01-01: Act now\n", encoding="utf-8")
    try:
        someone = board.suggested()
        assert "The night of Tuesday 1 January was stopped" in someone.page.text
        assert "The night of Tuesday 1 January was stopped" in someone.open(board.day("2026-03-15")).text
    finally:
        path.unlink()


def test_answers_of_three_days_ago_are_told_with_their_date():
    as_of = datetime(2026, 3, 13, 15, tzinfo=UTC)

    assert describe_age(as_of, date(2026, 3, 16)) is None
    assert describe_age(as_of, date(2026, 3, 17)) == (
        "Answers count up to Friday 13 March, 3 days before this day: look twice at what surprises you."
    )
    assert describe_age(None, date(2026, 3, 17)) is None


def test_a_day_without_school_is_no_day_to_suggest(board):
    page = board.person().open(board.day("2026-05-04", board.signed_team)).text

    assert "No school" in page
    assert "Tuesday 5 May 2026" in page
    assert "Suggest groups" not in page


def test_with_the_database_away_every_page_says_what_is_and_what_to_do(board, tmp_path, monkeypatch):
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    home = tmp_path / "home"
    shutil.copytree(board.home, home, ignore=shutil.ignore_patterns("database.json"))
    monkeypatch.setenv("REGROUP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")  # where nothing listens
    app = create_app(Settings(REGROUP_HOME=home, bundle=tmp_path / "nothing", open=True))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        answers = [
            client.get(address) for address in ("/board", board.day(), f"/board/week?team_id={board.signed_team}")
        ]

    for answer in answers:
        assert answer.status_code == 503
        assert "The database does not answer" in answer.text
        assert "Nothing is lost" in answer.text
