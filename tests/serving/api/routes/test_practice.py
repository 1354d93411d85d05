"""Goals, relationships and the playlist over HTTP, in SQLite and PostgreSQL."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from fastapi.testclient import TestClient

from features.roster import read_team
from features.roster.series_checks import minutes_of
from serving.access.caller import ANYBODY, Scope
from serving.access.keys import issue_key
from serving.audit.entries import list_entries
from serving.plans.stored_plan import open_day
from tests.examples import DATABASES

LATER = str(date.today() + timedelta(days=30))  # noqa: DTZ011 - as the service sees the day


@pytest.fixture(scope="module", params=DATABASES)
def client(request, open_service):
    postgres_url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with open_service(postgres_url) as client:
        yield client


@pytest.fixture
def team(client, trained_school):
    return read_team(client.app.state.database, trained_school.team_ids[0])


def goal_of(team, **more):
    return {
        "kind": "habit",
        "habit": "I ask before I guess.",
        "staff_id": team.staff[0].staff_id,
        "until": LATER,
    } | more


def test_a_goal_is_set_with_an_adult_listed_and_ended_once(client, team):
    address = f"/v1/students/{team.members[0]}/goals"

    goal = client.post(address, json=goal_of(team))
    ended, again = (
        client.post(f"{address}/{goal.json()['goal_id']}/end", json={"reached": yes}) for yes in (True, False)
    )

    assert (goal.status_code, goal.json()["ended_at"], goal.json()["reached"]) == (201, None, None)
    assert (ended.json()["reached"], again.json()) == (True, ended.json())
    assert client.get(address).json() == {"goals": [ended.json()]}
    nobody = client.post(f"{address}/nothing/end", json={})
    assert (nobody.status_code, nobody.json()["rule"]) == (404, "unknown_goal")
    other = client.post(f"/v1/students/{team.members[1]}/goals/{goal.json()['goal_id']}/end", json={})
    assert other.json()["rule"] == "unknown_goal"
    client.app.state.audit.flush()
    noted = [e.action for e in list_entries(client.app.state.database) if e.student_id == team.members[0]]
    assert {"set_goal", "end_goal", "read_goals"} <= set(noted)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"staff_id": "nobody"}, "unknown_staff"),
        ({"until": "2020-01-01"}, "past"),
        ({"kind": "skill"}, "invalid_request"),
        ({"minutes_per_week": 60}, "invalid_request"),
        ({"habit": " "}, "invalid_request"),
    ],
)
def test_a_goal_that_makes_no_sense_is_refused(client, team, more, rule):
    answer = client.post(f"/v1/students/{team.members[0]}/goals", json=goal_of(team, **more))

    assert (answer.status_code, answer.json()["rule"]) == (422, rule)


def test_no_student_has_more_open_goals_than_five(client, team):
    address = f"/v1/students/{team.members[2]}/goals"

    codes = [client.post(address, json=goal_of(team)).status_code for _ in range(6)]

    assert codes == [201] * 5 + [409]


def test_a_goal_is_in_the_next_plan(client, team):
    day = {"team_id": team.team_id, "date": "2026-03-16", "seconds": 0.2}
    needs = client.get(f"/v1/teams/{team.team_id}/board").json()["students"]
    student, need = next((row["student_id"], each) for row in needs for each in row["needs"] if each["need"] < 0.9)
    skill = need["skill_id"]

    def need_of(plan):
        problem = open_day(client.app.state.database, ANYBODY, plan["id"]).problem
        return next(each.need for each in problem.needs if (each.student, each.skill) == (student, skill))

    before = need_of(client.post("/v1/recommendations", json=day).json())
    goal = goal_of(team, kind="skill", skill_id=skill) | {"habit": None}
    assert client.post(f"/v1/students/{student}/goals", json=goal).status_code == 201
    after = need_of(client.post("/v1/recommendations", json=day).json())

    assert after == pytest.approx(1.05 * before)


def test_an_adults_own_word_counts_beside_sessions(client, team):
    student, adult = team.members[3], team.staff[0].staff_id
    address, of_team = f"/v1/students/{student}/relationships", f"/v1/teams/{team.team_id}/relationships"

    def known():
        students = client.get(of_team).json()["students"]
        counts = [each["adults"] for each in students]
        assert counts == sorted(counts)
        return next(each for each in students if each["student_id"] == student)

    before = known()
    for _ in range(2):
        assert client.post(address, json={"staff_id": adult}).json() == {"staff_id": adult, "known": True}
    marked = known()
    listed = client.get(of_team, params={"at_most": 0}).json()["students"]
    client.post(address, json={"staff_id": adult, "known": False})

    assert (before["marked_by"], marked["marked_by"]) == ([], [adult])
    assert marked["adults"] == len({adult, *marked["sat_with"]})
    assert student not in {each["student_id"] for each in listed}
    assert known() == before
    assert client.post(address, json={"staff_id": "nobody"}).json()["rule"] == "unknown_staff"


def test_a_student_chooses_among_three_and_the_probability_is_kept(client, team):
    address = f"/v1/students/{team.members[4]}"
    found = client.get(f"{address}/next").json()
    offer = found["offers"][-1]

    chosen = client.post(f"{address}/choices", json={"skill_id": offer["skill_id"]})
    refused = client.post(f"{address}/choices", json={"skill_id": "nothing"})

    assert 1 <= len(found["offers"]) <= 3
    assert found["choices"] == []
    assert chosen.status_code == 201
    assert chosen.json()["probability"] == offer["probability"]
    assert chosen.json()["offered"] == [each["skill_id"] for each in found["offers"]]
    assert (refused.status_code, refused.json()["rule"]) == (409, "not_offered")
    assert client.get(f"{address}/next").json()["choices"] == [chosen.json()]
    proficient = {
        skill["skill_id"]
        for skill in client.get(f"{address}/profile").json()["skills"]
        if skill["status"] == "proficient"
    }
    assert not proficient & {each["skill_id"] for each in found["offers"]}


@pytest.fixture
def open_as(client):
    """Asks with a key of an adult, or of anybody with other scopes."""

    def _open(scopes, staff_id=None):
        key = issue_key(client.app.state.database, "tests", scopes, staff_id=staff_id).reveal()
        client.app.state.board._keys.refresh()
        return TestClient(client.app, headers={"Authorization": f"Bearer {key}"})

    return _open


def test_an_observation_is_the_pairs_and_the_leaders(client, team, open_as):
    plan = client.post(
        "/v1/recommendations", json={"team_id": team.team_id, "date": "2026-03-17", "seconds": 0.05}
    ).json()
    session = next(s for s in plan["sessions"] if s["skill_id"])
    observed = session["adults"][0]["staff_id"]
    observer, other = [adult.staff_id for adult in team.staff if adult.staff_id != observed][:2]
    address = f"/v1/recommendations/{plan['id']}/observations"
    seen = {"session_id": session["id"], "observer_id": observer, "observed_id": observed, "aim": "Wait time."}
    may = [Scope.READ, Scope.PLAN]
    keys = {name: open_as(may, name) for name in (observer, observed, other)}
    too_early = client.post(address, json=seen)
    client.post(f"/v1/recommendations/{plan['id']}/decision", json={"decision": "accepted"})

    written = keys[observer].post(address, json=seen | {"next_step": "Count to five."})
    refused = [key.post(address, json=seen) for key in (keys[observed], keys[other], open_as(may))]
    wrong = keys[observer].post(address, json=seen | {"observed_id": observer})

    assert (too_early.status_code, written.status_code, wrong.json()["field"]) == (409, 201, "observed_id")
    assert [(answer.status_code, answer.json()["rule"]) for answer in refused] == [(403, "not_the_observer")] * 3
    asked = {name: key.get(f"/v1/teams/{team.team_id}/observations?week=2026-03-16") for name, key in keys.items()}
    listed = {name: answer.json()["observations"] for name, answer in asked.items()}
    assert listed == {observer: [written.json()], observed: [written.json()], other: []}
    leader = open_as([Scope.READ, Scope.SIGN]).get(f"/v1/teams/{team.team_id}/observations?week=2026-03-16").json()
    assert leader["observations"] == [written.json()]
    assert open_as(may).get(f"/v1/teams/{team.team_id}/observations?week=2026-03-16").json()["observations"] == []
    pairs = {(adult.coach, adult.staff_id) for adult in team.staff if adult.coach}
    lengths = {block.block_id: minutes_of(block) for block in team.blocks}
    held = [
        ({each["staff_id"] for each in s["adults"]}, lengths[s["block_id"]]) for s in plan["sessions"] if s["skill_id"]
    ]
    told = {(each["coach_id"], each["staff_id"]): each["minutes"] for each in leader["coaching"]}
    assert told == {pair: sum(minutes for adults, minutes in held if adults >= set(pair)) for pair in pairs}


def test_a_key_of_an_adult_speaks_for_this_adult_alone(client, team, open_as):
    one, other = (adult.staff_id for adult in team.staff[:2])
    address = f"/v1/students/{team.members[5]}/relationships"
    mine = open_as([Scope.PLAN], one)

    answers = [mine.post(address, json={"staff_id": adult}) for adult in (one, other)]

    assert [answer.status_code for answer in answers] == [200, 403]
    assert answers[1].json()["rule"] == "not_the_adult"


def test_a_stage_holds_once_the_coach_has_signed_it_and_no_edit_goes_beyond_it(client, team, open_as):
    trainee = next(adult for adult in team.staff if adult.coach)
    address, today = f"/v1/teams/{team.team_id}/growth", date.today()  # noqa: DTZ011 - as the service sees the day
    stages = [{"stage": "observe"}, {"stage": "lead", "most": 2}, {"stage": "own_groups"}]
    body = {"staff_id": trainee.staff_id, "stages": [each | {"from_date": str(today)} for each in stages]}
    may = [Scope.READ, Scope.PLAN]
    coach, other = open_as(may, trainee.coach), open_as(may, trainee.staff_id)
    second, third = ({"staff_id": trainee.staff_id, **each} for each in stages[1:])

    refused = other.put(address, json=body)
    planned = coach.put(address, json=body)
    too_far, unsigned = (coach.post(f"{address}/sign", json=third), other.post(f"{address}/sign", json=second))
    signed = coach.post(f"{address}/sign", json=second)

    assert (refused.status_code, refused.json()["rule"], unsigned.status_code) == (403, "not_the_coach", 403)
    assert (planned.json()["now"], planned.json()["stages"][1]["held_from"]) == (0, None)
    assert (too_far.status_code, too_far.json()["rule"]) == (409, "not_next")
    assert (signed.json()["now"], signed.json()["stages"][1]["signed_by"]) == (1, trainee.coach)
    assert coach.post(f"{address}/sign", json=second).json() == signed.json()
    assert client.get(address).json() == {"adults": [signed.json()]}
    late = str(today + timedelta(days=(7 - today.weekday()) % 7))
    plan = client.post("/v1/recommendations", json={"team_id": team.team_id, "date": late, "seconds": 0.1}).json()
    led = [s for s in plan["sessions"] if s["skill_id"] and s["adults"][0]["staff_id"] == trainee.staff_id]
    assert all(len(session["students"]) <= 2 for session in led)
    session = next(s for s in plan["sessions"] if s["skill_id"] and len(s["students"]) > 2)
    session["adults"] = [{"staff_id": trainee.staff_id}]
    edited = {"decision": "edited", "sessions": [to_body(each) for each in plan["sessions"]]}
    beyond = client.post(f"/v1/recommendations/{plan['id']}/decision", json=edited)
    assert (beyond.status_code, beyond.json()["rule"]) == (422, "growth_stage")
    judged = client.post(f"/v1/recommendations/{plan['id']}/evaluation", json={"sessions": edited["sessions"]}).json()
    assert "growth_stage" in {each["rule"] for each in judged["violations"]}
    shrunk = coach.put(address, json=body | {"stages": []})
    assert (shrunk.json()["now"], client.get(address).json()) == (None, {"adults": []})


def to_body(session):
    """A session of an answer as a body."""
    return {name: session[name] for name in ("id", "block_id", "session_type", "skill_id", "room_id")} | {
        "adults": session["adults"],
        "students": [{"student_id": seat["student_id"]} for seat in session["students"]],
    }


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([("lead", 4, "2026-09-01"), ("lead", 2, "2026-10-01")], "allow more"),
        ([("observe", None, "2026-09-01"), ("lead", 2, "2026-08-01")], "must not begin before"),
        ([("lead", None, "2026-09-01")], "has most where it is lead"),
    ],
)
def test_a_timeline_that_does_not_grow_is_refused(client, team, stages, words):
    rows = [{"stage": stage, "most": most, "from_date": first} for stage, most, first in stages]
    answer = client.put(f"/v1/teams/{team.team_id}/growth", json={"staff_id": team.staff[0].staff_id, "stages": rows})

    assert (answer.status_code, words in answer.json()["detail"]) == (422, True)


def test_a_wish_is_in_the_next_plan_and_its_days_are_listed(client, team):
    student, other, adult = team.members[7], team.members[8], team.staff[0].staff_id
    address = f"/v1/students/{student}/wishes"

    made = [
        client.post(address, json={"until": LATER, **named})
        for named in ({"other_student_id": other}, {"staff_id": adult})
    ]
    day = {"team_id": team.team_id, "date": "2026-03-18", "seconds": 0.05}
    problem = open_day(
        client.app.state.database, ANYBODY, client.post("/v1/recommendations", json=day).json()["id"]
    ).problem
    ended = client.post(f"{address}/{made[1].json()['wish_id']}/end")
    again = client.post(f"{address}/{made[1].json()['wish_id']}/end")

    assert [answer.status_code for answer in made] == [201, 201]
    assert {(w.student, w.other, w.adult, w.skill) for w in problem.wishes} == {
        (student, other, None, None),
        (student, None, adult, None),
    }
    assert ended.json()["ended_at"] is not None
    assert again.json() == ended.json()
    assert [each["met_on"] for each in client.get(address).json()["wishes"]] == [[], []]
    for named, code, rule in (
        ({"other_student_id": student}, 422, "unknown_student"),
        ({"staff_id": "nobody"}, 422, "unknown_staff"),
        ({"staff_id": adult, "skill_id": "x"}, 422, "invalid_request"),
        ({"staff_id": adult, "until": "2020-01-01"}, 422, "past"),
    ):
        answer = client.post(address, json={"until": LATER, **named})
        assert (answer.status_code, answer.json()["rule"]) == (code, rule)
    assert client.post(f"{address}/nothing/end").json()["rule"] == "unknown_wish"
    more = [client.post(address, json={"until": LATER, "skill_id": f"k{at}"}).status_code for at in range(5)]
    assert more == [201] * 4 + [409]


def test_a_wish_for_a_room_is_granted_by_the_next_plan_and_met_once_that_counts(client, team):
    monday = date.today() + timedelta(days=7 - date.today().weekday())  # noqa: DTZ011 - as the service sees the day
    day = {"team_id": team.team_id, "date": str(monday), "seconds": None}
    before = client.post("/v1/recommendations", json=day).json()["sessions"]
    free = {room.room_id: room.capacity for room in team.rooms}
    student, wanted = next(
        (one["students"][0]["student_id"], other["room"])
        for one, other in permutations([each for each in before if each["skill_id"]], 2)
        if one["block_id"] == other["block_id"]
        if len(one["students"]) <= free[other["room"]] and len(other["students"]) <= free[one["room"]]
    )
    address = f"/v1/students/{student}/wishes"

    made = client.post(address, json={"until": LATER, "room_id": wanted})
    plan = client.post("/v1/recommendations", json=day).json()
    accepted = client.post(f"/v1/recommendations/{plan['id']}/decision", json={"decision": "accepted"})

    assert (made.status_code, accepted.status_code) == (201, 200)
    mine = [s for s in plan["sessions"] if s["skill_id"] and student in {seat["student_id"] for seat in s["students"]}]
    assert wanted in {each["room"] for each in mine}
    assert [(each["room_id"], each["met_on"]) for each in client.get(address).json()["wishes"]] == [
        (wanted, [str(monday)])
    ]
    refused = client.post(address, json={"until": LATER, "room_id": "attic"})
    assert (refused.status_code, refused.json()["rule"]) == (422, "unknown_room")
    assert "room_id: 'attic' is not one of the rooms of the student's team: " in refused.json()["detail"]
    assert wanted in refused.json()["detail"]


def test_an_adults_own_word_is_one_meeting_in_the_next_plan(client, team):
    student, adult = team.members[9], team.staff[0].staff_id
    client.post(f"/v1/students/{student}/relationships", json={"staff_id": adult})
    day = {"team_id": team.team_id, "date": "2026-03-18", "seconds": 0.05}

    plan = client.post("/v1/recommendations", json=day).json()

    contacts = open_day(client.app.state.database, ANYBODY, plan["id"]).problem.contacts
    assert (student, adult) in {(each.student, each.adult) for each in contacts if each.known}
    client.post(f"/v1/students/{student}/relationships", json={"staff_id": adult, "known": False})


def test_a_coach_is_seated_to_observe_as_often_as_the_team_says(client, team):
    trainee = next(adult for adult in team.staff if adult.coach)
    policy = {"observations_per_week": 5, "coaching_per_week": 0, "weights": {"observations": 20}}
    day = {"team_id": team.team_id, "date": "2026-03-19", "seconds": None, "policy": policy}

    plan = client.post("/v1/recommendations", json=day).json()

    pairs = [[each["staff_id"] for each in s["adults"]] for s in plan["sessions"] if s["skill_id"]]
    assert [pair for pair in pairs if len(pair) > 1] == [[trainee.staff_id, trainee.coach]]
    assert plan["policy"]["observations_per_week"] == 5


def test_who_works_alone_asks_the_adult_on_call_and_waits_until_one_comes(client, team):
    day = {"team_id": team.team_id, "date": "2026-03-20", "seconds": 0.05}
    plan = client.post("/v1/recommendations", json=day).json()
    session = next(s for s in plan["sessions"] if not s["skill_id"])
    student = session["students"][0]["student_id"]
    address, asked = f"/v1/recommendations/{plan['id']}/help", {"student_id": student, "block_id": session["block_id"]}
    too_early = client.post(address, json=asked)
    client.post(f"/v1/recommendations/{plan['id']}/decision", json={"decision": "accepted"})

    first, again = (client.post(address, json=asked).json() for _ in range(2))
    came = team.staff[0].staff_id
    ended = client.post(f"{address}/{first['request_id']}/end", json={"staff_id": came}).json()
    later = client.post(f"{address}/{first['request_id']}/end", json={"staff_id": None}).json()

    assert too_early.status_code == 409
    assert (first["request_id"], first["on_call"]) == (
        again["request_id"],
        [adult["staff_id"] for adult in session["adults"]],
    )
    assert (ended["staff_id"], later["ended_at"]) == (came, ended["ended_at"])
    known = client.get(f"/v1/teams/{team.team_id}/relationships").json()["students"]
    assert came in next(each["sat_with"] for each in known if each["student_id"] == student)
    second = client.post(address, json=asked).json()
    assert [each["request_id"] for each in client.get(address).json()["requests"]] == [
        second["request_id"],
        first["request_id"],
    ]
    seated = next(s for s in plan["sessions"] if s["skill_id"])
    busy = {"student_id": seated["students"][0]["student_id"], "block_id": seated["block_id"]}
    assert client.post(address, json=busy).json()["rule"] == "not_independent"
    assert client.post(f"{address}/nothing/end", json={}).json()["rule"] == "unknown_request"
    assert client.post(f"{address}/nothing/end", json={"staff_id": "nobody"}).json()["rule"] == "unknown_staff"


def test_offers_name_items_that_the_student_has_not_answered(client, team):
    offers = client.get(f"/v1/students/{team.members[4]}/next").json()["offers"]

    items = [item for offer in offers for item in offer["item_ids"]]
    answers = client.app.state.snapshots.current().answers
    assert items
    seen = {answers.items[code] for code in answers.answered(team.members[4])[0]}
    assert not seen & set(items)


def test_insight_compares_everything_but_adults_and_children(client, team):
    found = client.get(f"/v1/teams/{team.team_id}/insight")

    assert found.status_code == 200, found.text
    funnels = {each["kind"]: each["compared"] for each in found.json()["funnels"]}
    assert list(funnels) == ["skill", "skill in this team", "unit", "item", "block", "product", "session kind"]
    assert [each["key"] for each in funnels["product"]] == ["simulation"]
    assert len(funnels["block"]) >= 1
    assert min(each["students"] for each in funnels["skill"]) >= 20
    assert max(each["students"] for each in funnels["skill"]) > len(team.members)
    assert max(each["students"] for each in funnels["skill in this team"]) <= len(team.members)
    people = {*team.members, *(adult.staff_id for adult in team.staff)}
    assert not [person for person in people if person in found.text]
    assert client.get("/v1/teams/nowhere/insight").status_code == 404


def test_the_digest_is_one_page_in_three_forms_and_names_nobody(client, team):
    found = client.get(f"/v1/teams/{team.team_id}/digest", params={"week": "2026-03-18"}).json()

    assert found["monday"] == "2026-03-16"
    assert found["subject"].endswith("week of Mon 16 Mar 2026")
    assert found["markdown"].startswith(f"# {found['subject'].replace('_', chr(92) + '_')}")
    assert len(found["text"].splitlines()) <= 60
    assert max(map(len, found["text"].splitlines())) <= 80
    people = {*team.members, *(adult.staff_id for adult in team.staff)}
    assert not [person for person in people if person in str(found)]
