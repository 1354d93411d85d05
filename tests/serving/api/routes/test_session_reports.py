"""What happened in a session changes who had it, and its exit check is in the event log, in SQLite and PostgreSQL."""

import json

import pytest
from sqlalchemy import select

from features.events.live.answers import LIVE_EVENTS, VOIDED_STATEMENTS
from features.roster import read_team
from serving.audit.entries import list_entries
from serving.plans.practice import session_reports
from serving.plans.practice.session_reports import SOURCE
from tests.examples import DATABASES

HELD = {"happened": "done", "students": []}


@pytest.fixture(scope="module", params=DATABASES)
def client(request, open_service):
    postgres_url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with open_service(postgres_url) as client:
        yield client


def accept(client, school, date, decision="accepted"):
    """An accepted plan of a day, and its first session with an adult."""
    body = {"team_id": school.team_ids[0], "date": date, "seconds": 0.05}
    plan = client.post("/v1/recommendations", json=body).json()
    assert client.post(f"/v1/recommendations/{plan['id']}/decision", json={"decision": decision}).status_code == 200
    return plan, next(s for s in plan["sessions"] if s["skill_id"] and len(s["students"]) > 2)


def report(client, plan, session_id, **body):
    return client.post(f"/v1/recommendations/{plan['id']}/reports", json={"session_id": session_id} | HELD | body)


def had(client, plan, session):
    """Who had a session, as the roster records it."""
    past = read_team(client.app.state.database, plan["team_id"]).past_sessions
    lead = session["adults"][0]["staff_id"]
    place = (plan["date"], session["block_id"], lead)
    return [set(s.students) for s in past if (str(s.date), s.block_id, s.staff_id) == place]


def answers(client):
    """The answers of exit checks that wait for the event log, by student: item, skills and score."""
    with client.app.state.database.reading() as connection:
        events = map(json.loads, connection.execute(select(LIVE_EVENTS.c.event)).scalars())
        return sorted(
            (e["student_id"], e["item_id"], e["score"], e["attempt"]) for e in events if e["source"] == SOURCE
        )


def test_who_was_absent_has_not_had_the_session_and_the_exit_check_is_known(client, trained_school):
    plan, session = accept(client, trained_school, "2026-03-16")
    absent, checked, *others = (seat["student_id"] for seat in session["students"])
    attempts = client.get(f"/v1/students/{checked}/profile").json()["responses"]
    own, named = {"correct": True}, {"correct": False, "item_id": "a-question"}

    sent = {"students": [{"student_id": absent, "present": False}, {"student_id": checked, "exit_check": [own, named]}]}
    told = report(client, plan, session["id"], **sent)
    again = report(client, plan, session["id"], **sent)

    assert (told.status_code, again.status_code) == (200, 200)
    assert had(client, plan, session) == [{checked, *others}]
    item = f"{SOURCE}:{session['skill_id']}"
    assert answers(client) == [(checked, "a-question", 0.0, 1), (checked, item, 1.0, 1)]
    assert client.get(f"/v1/students/{checked}/profile").json()["responses"] == attempts + 2
    read = client.get(f"/v1/recommendations/{plan['id']}/reports").json()["reports"]
    assert [{**one, "reported_at": ""} for one in read] == [{**again.json(), "reported_at": ""}]
    assert {one["student_id"]: one["present"] for one in read[0]["students"]} == {
        absent: False, **dict.fromkeys((checked, *others), True),
    }  # fmt: skip
    noted = [e.action for e in list_entries(client.app.state.database) if e.subject == plan["id"]]
    assert noted.count("report_session") == 2


def test_a_corrected_check_takes_the_earlier_answer_back_and_a_session_that_was_not_held_counts_for_nobody(
    client, trained_school
):
    plan, session = accept(client, trained_school, "2026-03-23")
    student = session["students"][0]["student_id"]
    before = answers(client)

    for correct in (True, False):
        sent = {"students": [{"student_id": student, "exit_check": [{"correct": correct}]}]}
        assert report(client, plan, session["id"], happened="moved_on", **sent).status_code == 200
    corrected = answers(client)
    assert len(had(client, plan, session)) == 1
    assert report(client, plan, session["id"], happened="not_done").status_code == 200

    item = f"{SOURCE}:{session['skill_id']}"
    assert sorted([*before, (student, item, 0.0, 1)]) == corrected
    assert answers(client) == before
    assert had(client, plan, session) == []
    with client.app.state.database.reading() as connection:
        voided = connection.execute(select(VOIDED_STATEMENTS).where(VOIDED_STATEMENTS.c.source == SOURCE)).all()
    assert len(voided) == 2


def test_a_report_is_refused_where_nothing_was_held(client, trained_school):
    plan, session = accept(client, trained_school, "2026-03-30")
    online = next(s for s in plan["sessions"] if s["skill_id"] is None)
    away = {"student_id": session["students"][0]["student_id"], "present": False}
    check = [{"correct": True}]
    rejected, _ = accept(client, trained_school, "2026-04-06", decision="rejected")
    later, _ = accept(client, trained_school, "2126-03-18")
    refused = {
        "unknown_session": report(client, plan, "nothing"),
        "unknown_student": report(client, plan, session["id"], students=[{"student_id": "nobody"}]),
        "named_twice": report(client, plan, session["id"], students=[away, away]),
        "invalid_request": report(client, plan, session["id"], students=[{**away, "exit_check": check}]),
        "not_held": report(
            client, plan, session["id"], happened="not_done",
            students=[{"student_id": away["student_id"], "exit_check": check}],
        ),
        "no_skill": report(
            client, plan, online["id"],
            students=[{"student_id": online["students"][0]["student_id"], "exit_check": check}],
        ),
        "not_accepted": report(client, rejected, session["id"]),
        "not_held_yet": report(client, later, session["id"]),
        "unknown_recommendation": report(client, {"id": "0" * 32}, session["id"]),
    }  # fmt: skip
    other, _ = accept(client, trained_school, "2026-03-30")
    assert refused.pop("not_held").json()["rule"] == "invalid_request"
    refused["not_current"] = report(client, plan, session["id"])

    assert {rule: answer.json()["rule"] for rule, answer in refused.items()} == {rule: rule for rule in refused}
    assert refused["unknown_student"].json()["field"] == "students[0].student_id"
    assert client.get(f"/v1/recommendations/{other['id']}/reports").json() == {"reports": []}


def test_two_who_report_at_once_are_told(client, trained_school, monkeypatch):
    plan, session = accept(client, trained_school, "2026-04-13")
    draft = session_reports.draft_report

    def draft_and_report(*given):
        found = draft(*given)
        monkeypatch.setattr(session_reports, "draft_report", draft)
        assert report(client, plan, session["id"], happened="moved_on").status_code == 200
        return found

    monkeypatch.setattr(session_reports, "draft_report", draft_and_report)
    second = report(client, plan, session["id"], happened="not_done")

    assert (second.status_code, second.json()["rule"]) == (409, "changed_meanwhile")
    assert client.get(f"/v1/recommendations/{plan['id']}/reports").json()["reports"][0]["happened"] == "moved_on"
