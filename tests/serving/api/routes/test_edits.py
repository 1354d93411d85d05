"""What people do with a plan: edit it, read the score impact, seat a late student, ask why not there."""

import json
from dataclasses import replace

import pytest

from features.roster import read_roster_files, save_roster
from serving.plans.rules.policy import load_policy

MONDAY = "2026-03-16"


@pytest.fixture(scope="module")
def client(open_service):
    with open_service() as client:
        yield client


@pytest.fixture(scope="module")
def ill(client, trained_school):
    """The eight students with the greatest needs."""
    board = client.get(f"/v1/teams/{trained_school.team_ids[0]}/board").json()
    return [row["student_id"] for row in board["students"][:8]]


@pytest.fixture(scope="module")
def away(ill):
    return ill[0]


@pytest.fixture(scope="module")
def plan(client, trained_school, ill):
    """A day with small groups and independent work in every block, since one table seats no whole team."""
    table = {"session_type": "collaborative", "least": 2, "most": 6, "tables": 1}
    body = {"team_id": trained_school.team_ids[0], "date": MONDAY, "policy": {"sizes": [table]}}
    body["absences"] = [{"student_id": student} for student in ill]
    return client.post("/v1/recommendations", json=body).json()


@pytest.fixture
def judge(client, plan):
    return lambda sessions, **more: client.post(
        f"/v1/recommendations/{plan['id']}/evaluation", json={"sessions": sessions, **more}
    )


@pytest.fixture
def edited(plan):
    """The sessions with a student twice in the first block, and where the student was put and should not be."""
    sessions = json.loads(json.dumps(plan["sessions"]))
    online = next(s for s in sessions if s["session_type"] == "online")
    led = next(s for s in sessions if s["block_id"] == online["block_id"] and s["session_type"] == "small_group")
    led["students"].append(dict(online["students"][0]))
    return sessions


def shorten(session):
    left = {name: session[name] for name in ("id", "block_id", "session_type", "skill_id", "room_id")}
    adults = [adult["staff_id"] for adult in session["adults"]]
    return left | {"adults": adults, "students": [seat["student_id"] for seat in session["students"]]}


def rule_of(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["rule"], answer.json().get("field")


def test_a_plan_sent_back_as_it_is_keeps_every_rule_and_its_score(judge, plan):
    whole, short = judge(plan["sessions"]), judge([shorten(session) for session in plan["sessions"]])

    evaluation = whole.json()
    assert short.json() == evaluation
    assert evaluation["keeps_rules"]
    assert evaluation["score"] == pytest.approx(plan["score"])
    assert evaluation["terms"] == plan["terms"]
    assert (evaluation["score_impact"]["points"], evaluation["changes"], evaluation["repair"]) == (0, [], None)


def test_an_edit_that_breaks_a_rule_is_told_and_repaired(judge, edited):
    evaluation = judge(edited).json()

    assert not evaluation["keeps_rules"]
    assert "one_session" in {violation["rule"] for violation in evaluation["violations"]}
    assert len(evaluation["changes"]) == 1
    assert evaluation["changes"][0]["score_impact"] == evaluation["score_impact"]
    assert evaluation["changes"][0]["fixes"] == evaluation["violations"]
    assert judge(evaluation["repair"]["sessions"]).json()["keeps_rules"]
    assert judge(edited, repair=False).json()["repair"] is None


def test_each_change_of_an_edit_has_its_score_impact(judge, plan):
    """Two students of one block change places: two moves, each judged alone; a session left empty is not held."""
    sessions = [shorten(session) for session in plan["sessions"]]
    block = sessions[0]["block_id"]
    led = next(s for s in sessions if s["block_id"] == block and s["session_type"] == "small_group")
    online = next(s for s in sessions if s["block_id"] == block and s["session_type"] == "online")
    online["students"] += led["students"]
    moved, led["students"] = led["students"], []

    evaluation = judge(sessions, repair=False).json()

    assert {change["student_id"] for change in evaluation["changes"]} == set(moved)
    assert all(change["before"]["skill_id"] == led["skill_id"] for change in evaluation["changes"])
    assert all(
        change["after"] == {"session_type": "online", "skill_id": None, "staff_id": None}
        for change in evaluation["changes"]
    )
    assert evaluation["score_impact"]["points"] < 0
    assert all(change["score_impact"]["points"] for change in evaluation["changes"])


def test_sessions_of_another_day_are_refused_by_name_and_without_ids(judge, plan):
    sessions = [shorten(session) for session in plan["sessions"]]

    def refuse(**changed):
        return judge([{**sessions[0], **changed}, *sessions[1:]])

    strange = refuse(students=["secret-child"])
    assert rule_of(strange) == (422, "not_of_this_day", "sessions[0].students[0]")
    assert "secret-child" not in strange.text
    assert rule_of(refuse(block_id="fri-9")) == (422, "not_of_this_day", "sessions[0].block_id")
    assert "sessions[0].block_id: 'fri-9' is not right" in refuse(block_id="fri-9").json()["detail"]
    assert rule_of(refuse(room_id="cellar")) == (422, "not_of_this_day", "sessions[0].room_id")
    assert rule_of(refuse(id=sessions[1]["id"]))[2].startswith("sessions.id")
    assert rule_of(refuse(colour="blue"))[1] == "invalid_request"


@pytest.mark.parametrize("call", ["evaluation", "decision", "seat-options", "explanations"])
def test_calls_on_a_plan_that_is_not_there_say_so(client, call):
    body = {
        "evaluation": {"sessions": []},
        "decision": {"decision": "accepted"},
        "seat-options": {"student_id": "x"},
        "explanations": {"student_id": "x", "block_id": "y"},
    }[call]

    assert rule_of(client.post(f"/v1/recommendations/none/{call}", json=body))[:2] == (404, "unknown_recommendation")


def test_a_student_who_was_away_is_given_a_seat_while_nobody_else_moves(client, plan, away, judge):
    """Every seat of every block is ranked; the best together seat the student in each block."""
    answer = client.post(f"/v1/recommendations/{plan['id']}/seat-options", json={"student_id": away})

    ranked = answer.json()
    blocks = list(dict.fromkeys(session["block_id"] for session in plan["sessions"]))
    assert ranked["needs_from"] == "plan"
    assert sorted(block["block_id"] for block in ranked["blocks"]) == sorted(blocks)
    for block in ranked["blocks"]:
        points = [option["score_impact"]["points"] for option in block["options"]]
        assert points == sorted(points, reverse=True)
        assert all(away in option["session"]["students"] for option in block["options"])
    before = {s["id"]: s["students"] for s in map(shorten, plan["sessions"])}
    after = {s["id"]: [name for name in s["students"] if name != away] for s in ranked["sessions"]}
    assert {name: sorted(students) for name, students in before.items()} == {
        name: sorted(students) for name, students in after.items() if students
    }


def test_a_student_whom_nobody_knows_is_given_a_seat_too(client, plan):
    """In the blocks asked for; every skill of the day is a moderate need."""
    block = plan["sessions"][0]["block_id"]

    ranked = client.post(
        f"/v1/recommendations/{plan['id']}/seat-options", json={"student_id": "brand-new", "block_ids": [block]}
    ).json()
    refused = client.post(
        f"/v1/recommendations/{plan['id']}/seat-options", json={"student_id": "brand-new", "block_ids": ["fri-9"]}
    )

    assert ranked["needs_from"] == "nothing"
    assert [options["block_id"] for options in ranked["blocks"]] == [block]
    assert ranked["best"]
    assert rule_of(refused) == (422, "unknown_block", "block_ids[0]")


def test_a_new_member_is_placed_by_forecasts_and_a_student_of_another_team_by_nothing(
    client, plan, trained_school, simulated_school
):
    """Moved into the team after it was planned, a student is known; before that, nothing of the profile is told."""
    database = client.app.state.database
    roster = read_roster_files(simulated_school.folder / "roster")
    mover = next(member for member in roster.members if member.team_id == trained_school.team_ids[1])

    def rank():
        body = {"student_id": mover.student_id}
        return client.post(f"/v1/recommendations/{plan['id']}/seat-options", json=body).json()

    stranger = rank()
    members = tuple(replace(m, team_id=plan["team_id"]) if m == mover else m for m in roster.members)
    save_roster(replace(roster, members=members), database)
    member = rank()
    save_roster(roster, database)

    assert (stranger["needs_from"], member["needs_from"]) == ("nothing", "forecasts")
    needs = [
        option["sentence"]
        for block in stranger["blocks"]
        for option in block["options"]
        if option["session"]["session_type"] != "online"
    ]
    assert needs
    unknown = f"need {load_policy().need.check_in:.2f}"
    assert all(unknown in sentence for sentence in needs)
    assert member["best"]


def test_why_not_there_has_a_score_impact_or_a_blocking_rule(client, plan, away):
    online = next(s for s in plan["sessions"] if s["session_type"] == "online")
    student, block = online["students"][0]["student_id"], online["block_id"]

    def ask(**more):
        body = {"student_id": student, "block_id": block, **more}
        return client.post(f"/v1/recommendations/{plan['id']}/explanations", json=body)

    led, forbidden, there = ask().json(), ask(student_id=away).json(), ask(session_type="online").json()

    assert led["possible"]
    assert led["sentence"].startswith("The seat would")
    assert not forbidden["possible"]
    assert forbidden["blocking_rules"][0]["rules"] == ["presence"]
    assert away not in forbidden["sentence"]
    assert student not in led["sentence"]
    assert there["sentence"] == "The student sits there already."
    assert rule_of(ask(staff_id="king")) == (422, "not_of_this_day", "staff_id")
    assert rule_of(ask(session_type="online", skill_id=plan["terms"][0]["name"]))[1] == "not_of_this_day"
