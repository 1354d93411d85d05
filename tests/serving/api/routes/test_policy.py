"""A team's own policy and its standing rules over HTTP, in SQLite and in PostgreSQL."""

from collections import Counter
from dataclasses import replace

import pytest

from features.roster import PolicyLayer, Rule, read_roster_files, save_roster
from tests.examples import DATABASES

MONDAY, SECONDS = "2026-03-16", 0.3


@pytest.fixture(scope="module", params=DATABASES)
def client(request, open_service):
    postgres_url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with open_service(postgres_url) as client:
        yield client


@pytest.fixture(scope="module")
def roster(simulated_school):
    return read_roster_files(simulated_school.folder / "roster")


@pytest.fixture
def body(trained_school):
    return {"team_id": trained_school.team_ids[0], "date": MONDAY, "seconds": SECONDS}


@pytest.fixture
def people(roster, body):
    """Members and adults of the team."""
    team_id = body["team_id"]
    members = [member.student_id for member in roster.members if member.team_id == team_id]
    return members, [adult for adult in roster.staff if adult.team_id == team_id]


@pytest.fixture
def load(client, roster):
    """Loads the school's roster with other parts; afterwards it is as it was."""
    yield lambda **parts: save_roster(replace(roster, **parts), client.app.state.database)
    save_roster(roster, client.app.state.database)


def ask(client, body, status=201, **more):
    answer = client.post("/v1/recommendations", json=body | more)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_rosters_policy_is_in_the_answer_and_the_request_counts_before_it(client, body, load, people):
    members, adults = people
    layers = (
        PolicyLayer("", {"regroup": "weekly", "students_per_monitor": 25}),
        PolicyLayer(body["team_id"], {"preset": "intervention_block", "crowding": {"full": 4, "loss": 0.2}}, (),
                    ((members[0], adults[0].staff_id),)),
    )  # fmt: skip
    load(policies=layers)

    used = ask(client, body)["policy"]
    asked = ask(client, body, policy={"crowding": {"full": 5, "loss": 0.3}, "preset": "station_rotation"})["policy"]

    assert (used["preset"], used["regroup"], used["students_per_monitor"]) == ("intervention_block", 10, 25)
    assert used["crowding"] == {"full": 4, "loss": 0.2}
    assert used["adult_exclusions"] == [{"staff_id": adults[0].staff_id, "student_ids": [members[0]]}]
    assert (asked["preset"], asked["regroup"], asked["crowding"]["full"]) == ("station_rotation", "daily", 5)
    assert asked["adult_exclusions"] == used["adult_exclusions"]
    assert None not in used.values()


def test_a_day_planned_again_keeps_the_policy_of_its_plan(client, body, load, people):
    members, adults = people
    load(policies=(PolicyLayer(body["team_id"], {"students_per_monitor": 28}),))
    excluded = [{"staff_id": adults[0].staff_id, "student_ids": members[:1]}]
    morning = ask(client, body, policy={"most_social_cost": 0.2, "adult_exclusions": excluded})
    load(policies=(PolicyLayer(body["team_id"], {"students_per_monitor": 31}),))

    again = ask(client, body, previous=morning["id"])
    other = ask(client, body, previous=morning["id"], policy={"most_social_cost": 0.1})
    anew = ask(client, body)

    assert again["policy"] == morning["policy"]
    assert other["policy"] == morning["policy"] | {"most_social_cost": 0.1}
    assert (anew["policy"]["students_per_monitor"], anew["policy"]["adult_exclusions"]) == (31, [])


def test_a_plan_drawn_at_random_says_so_and_what_people_choose_is_not_drawn(client, body):
    explored = ask(client, body, policy={"explore_within": 0.1})
    chosen = ask(client, body, policy={"explore_within": 0.1}, alternatives=1)
    again = ask(client, body, policy={"explore_within": 0.1}, previous=explored["id"])

    found = explored["exploration"]
    assert found["probability"] == pytest.approx(1 / found["plans"])
    assert found["score_loss"] <= found["within"] == 0.1
    drawn = f"drawn at random among {found['plans']} plans"
    assert any(drawn in note["sentence"] for note in explored["notes"]) == (found["plans"] > 1)
    assert (chosen["exploration"], again["exploration"], ask(client, body)["exploration"]) == (None, None, None)
    assert client.get(f"/v1/recommendations/{explored['id']}").json()["exploration"] == found
    assert ask(client, body, 422, policy={"explore_within": 0.5})["errors"]


def test_several_sessions_in_one_large_room(client, body, load, roster):
    """The room has its own name, and an edit may be sent back as it came."""
    team_rooms = [room for room in roster.rooms if room.team_id == body["team_id"]]
    hall = replace(team_rooms[0], room_id="hall", capacity=200)
    load(rooms=(*(room for room in roster.rooms if room.team_id != body["team_id"]), hall))

    plan = ask(client, body, policy={"rooms": {"hall": {"sessions": 5}}})
    judged = client.post(f"/v1/recommendations/{plan['id']}/evaluation", json={"sessions": plan["sessions"]}).json()

    assert {session["room"] for session in plan["sessions"]} == {"hall"}
    assert max(Counter(session["block_id"] for session in plan["sessions"]).values()) > 1
    assert len({(s["block_id"], s["room_id"]) for s in plan["sessions"]}) == len(plan["sessions"])
    assert judged["keeps_rules"]
    assert ask(client, body, 422, policy={"rooms": {"halle": {"sessions": 5}}})["field"] == "policy.rooms"


def test_standing_rules_give_way_with_a_note(client, body, load, people):
    """A skill that nobody needs any more, and two assignments that contradict each other."""
    members, adults = people
    team_id = body["team_id"]
    leads = [adult.staff_id for adult in adults if adult.role in {"teacher_leader", "collaborating_teacher"}]
    block = ask(client, body)["sessions"][0]["block_id"]
    load(
        rules=(
            Rule("over", team_id, "pinned", (members[0],), skill_id="no-skill-any-more"),
            Rule("one", team_id, "pinned", (members[1],), leads[0], block),
            Rule("two", team_id, "pinned", (members[1],), leads[1], block),
        )
    )

    plan = ask(client, body, seconds=None)  # a busy machine takes longer to find which give way

    notes = {note["rule_id"]: note for note in plan["notes"]}
    assert notes["over"]["students"] == [members[0]]
    assert members[0] in notes["over"]["sentence"]
    assert len(notes.keys() & {"one", "two"}) == 1
    assert notes.keys() <= {"over", "one", "two"}
    assert client.get(f"/v1/recommendations/{plan['id']}").json()["notes"] == plan["notes"]


def test_a_roster_without_rooms_stops_no_day(client, body, load, roster):
    load(rooms=tuple(room for room in roster.rooms if room.team_id != body["team_id"]))

    plan = ask(client, body)

    assert {session["room_id"] for session in plan["sessions"]} == {None}
    assert [note["rule_id"] for note in plan["notes"]] == [None]


def test_a_refused_rule_of_the_request_is_named_and_asked_again_once_it_is_mended(client, body, people, load):
    """The same Idempotency-Key gets a plan as soon as there is one; texts name no student."""
    members, adults = people
    block = ask(client, body)["sessions"][0]["block_id"]
    aide = next(adult for adult in adults if "tutoring" in adult.may_lead)
    asked = {
        "team_id": body["team_id"],
        "date": MONDAY,  # without `seconds`, so that a slow machine says as much
        "rules": [
            {"kind": "keep_apart", "student_ids": members[1:3]},
            {"kind": "pinned", "student_ids": [members[0]], "staff_id": aide.staff_id, "block_id": block},
        ],
    }
    headers = {"Idempotency-Key": f"mended-{client.app.state.database._url.drivername}"}
    load(policies=(PolicyLayer(body["team_id"], {}, (), ((members[0], aide.staff_id),)),))

    refused = client.post("/v1/recommendations", json=asked, headers=headers)
    load()
    mended = client.post("/v1/recommendations", json=asked, headers=headers)

    assert (refused.status_code, mended.status_code) == (422, 201)
    told = refused.json()
    assert any((part["students"], part["rule_ids"]) == ([members[0]], ["rules[1]"]) for part in told["conflicts"])
    cheapest = told["relaxations"][0]
    assert told["detail"].endswith(f"With this the day has a plan: {cheapest['detail']}")
    assert members[0] not in told["detail"] + cheapest["detail"]
