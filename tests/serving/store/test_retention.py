"""What is older than it may be kept goes, all of it, and nothing else does."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, func, insert, select

from features.database import Database
from features.errors import RegroupError
from features.roster.tables import PAST_SESSION_STUDENTS, PAST_SESSIONS
from serving.store.retention import AT_ONCE, Retention
from serving.store.tables import (
    AUDIT,
    CHOICES,
    DECISIONS,
    GOALS,
    HELP_REQUESTS,
    IDEMPOTENCY,
    OBSERVATIONS,
    RECOMMENDATION_STUDENTS,
    RECOMMENDATIONS,
    RELATIONSHIP_MARKS,
    SESSION_REPORT_STUDENTS,
    SESSION_REPORTS,
    WISHES,
)

NOW = datetime.now(UTC)
KEPT = Retention(plans=timedelta(days=400), answers=timedelta(hours=24), audit=timedelta(days=730))
MOMENT = timedelta(minutes=1)


def days(age):
    return (NOW - age).date()


def store(connection, number, of_plan, of_answer, of_audit):
    """A row of each kind, as old as is said."""
    name, plan = f"r{number}", {"request": "{}", "answer": "{}", "team_id": "t1", "problem_hash": ""}
    kind = RECOMMENDATIONS.c.answer.type.python_type
    plan["answer"] = kind() if kind is bytes else "{}"
    connection.execute(insert(RECOMMENDATIONS).values(id=name, created_at=NOW - of_plan, **plan))
    connection.execute(insert(RECOMMENDATION_STUDENTS).values(recommendation_id=name, student_id="s1"))
    decision = {"decision": "accepted", "reasons": {}, "sessions": "[]", "decided_at": NOW - of_plan}
    connection.execute(insert(DECISIONS).values(id=name, recommendation_id=name, **decision))
    report = {"recommendation_id": name, "session_id": "s"}
    connection.execute(insert(SESSION_REPORTS).values(**report, reported_at=NOW, key_id="k", happened="done"))
    connection.execute(insert(SESSION_REPORT_STUDENTS).values(**report, student_id="s1", present=True, exit_check=[]))
    seen = {"date": days(of_plan), "observer_id": "a", "observed_id": "b", "aim": "x", "noted_at": NOW, "key_id": "k"}
    connection.execute(insert(OBSERVATIONS).values(observation_id=name, team_id="t1", **report, **seen))
    noted = {"student_id": "s1", "key_id": "k"}
    goal = {"kind": "habit", "staff_id": "a", "set_at": NOW, "until": days(of_plan)}
    connection.execute(insert(GOALS).values(goal_id=name, **noted, **goal))
    mark = {"staff_id": name, "marked_at": NOW - of_plan}
    connection.execute(insert(RELATIONSHIP_MARKS).values(**noted, **mark))
    choice = {"skill_id": "x", "probability": 1.0, "offered": [], "chosen_at": NOW - of_plan}
    connection.execute(insert(CHOICES).values(choice_id=name, **noted, **choice))
    connection.execute(insert(WISHES).values(wish_id=name, **noted, wished_at=NOW, until=days(of_plan)))
    asked = {"recommendation_id": name, "block_id": "b", "asked_at": NOW}
    connection.execute(insert(HELP_REQUESTS).values(request_id=name, **noted, **asked))
    session = {"date": days(of_plan), "team_id": "t1", "block_id": "b", "recorded": True}
    connection.execute(insert(PAST_SESSIONS).values(session_id=name, **session))
    connection.execute(insert(PAST_SESSION_STUDENTS).values(session_id=name, place=0, student_id="s1"))
    key = {"owner": "", "idempotency_key": name, "body_hash": "", "started_at": NOW - of_answer}
    connection.execute(insert(IDEMPOTENCY).values(**key))
    entry = {"entry_id": name, "at": NOW - of_audit, "request_id": "r", "action": "read_board"}
    connection.execute(insert(AUDIT).values(**entry))


COLUMNS = (
    RECOMMENDATIONS.c.id, RECOMMENDATION_STUDENTS.c.recommendation_id, DECISIONS.c.id, PAST_SESSIONS.c.session_id,
    PAST_SESSION_STUDENTS.c.session_id, IDEMPOTENCY.c.idempotency_key, AUDIT.c.entry_id,
    SESSION_REPORTS.c.recommendation_id, SESSION_REPORT_STUDENTS.c.recommendation_id, GOALS.c.goal_id,
    RELATIONSHIP_MARKS.c.staff_id, OBSERVATIONS.c.observation_id, CHOICES.c.choice_id,
    WISHES.c.wish_id, HELP_REQUESTS.c.request_id,
)  # fmt: skip


def left(database):
    with database.reading() as connection:
        return [set(connection.execute(select(column)).scalars()) for column in COLUMNS]


def test_each_kind_goes_by_its_own_age_with_all_that_belongs_to_it(database):
    with database.changing() as connection:
        store(connection, 0, KEPT.plans + timedelta(days=1), KEPT.answers + MOMENT, KEPT.audit + MOMENT)
        store(connection, 1, KEPT.plans - MOMENT, KEPT.answers - MOMENT, KEPT.audit - MOMENT)

    assert KEPT.remove_old(database, NOW) == 8
    assert left(database) == [{"r1"}] * len(COLUMNS)
    assert KEPT.remove_old(database, NOW) == 0


def test_many_go_a_few_at_a_time(database, monkeypatch):
    old = KEPT.audit + MOMENT
    with database.changing() as connection:
        for number in range(AT_ONCE + 1):
            store(connection, number, old, old, old)

    assert KEPT.remove_old(database, NOW) == 8 * (AT_ONCE + 1)
    assert left(database) == [set()] * len(COLUMNS)


def test_sessions_of_a_roster_file_are_the_files_own(database):
    with database.changing() as connection:
        session = {"date": date(1999, 9, 1), "team_id": "t1", "block_id": "b", "recorded": False}
        connection.execute(insert(PAST_SESSIONS).values(session_id="of a file", **session))

    assert KEPT.remove_old(database, NOW) == 0


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=179)])
def test_the_database_itself_keeps_half_a_year_of_the_audit_log(database, age):
    with database.changing() as connection:
        store(connection, 0, age, age, age)

    with pytest.raises(RegroupError), database.changing() as connection:
        connection.execute(delete(AUDIT))

    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(AUDIT)).scalar() == 1


def test_an_audit_log_of_an_earlier_version_may_age_too(database):
    database.migrate("0004")
    entry = {"entry_id": "old", "at": NOW - KEPT.audit - MOMENT, "request_id": "r", "action": "read_board"}
    with database._connection() as connection:
        connection.execute(insert(AUDIT).values(**entry))

    database.migrate()

    assert KEPT.remove_old(database, NOW) == 1
    assert left(database)[-1] == set()


def test_what_cannot_be_removed_now_stays_until_the_next_time(tmp_path, caplog):
    with Database(f"sqlite:///{tmp_path}") as folder:
        KEPT.try_to_remove_old(folder, NOW)

    assert "stays for now: SQLite file" in caplog.text
