"""A day planned again, and other good plans of a day."""

import pytest

MONDAY = "2026-03-16"


@pytest.fixture(scope="module")
def client(open_service):
    with open_service() as client:
        yield client


@pytest.fixture(scope="module")
def body(trained_school):
    return {"team_id": trained_school.team_ids[0], "date": MONDAY}


@pytest.fixture(scope="module")
def morning(client, body):
    return client.post("/v1/recommendations", json=body).json()


def seats_of(plan):
    return {
        (session["block_id"], seat["student_id"]): (
            session["session_type"],
            session["skill_id"],
            session["adults"][0]["staff_id"] if session["skill_id"] else None,
        )
        for session in plan["sessions"]
        for seat in session["students"]
    }


def count_moved(one, other):
    before, after = seats_of(one), seats_of(other)
    return sum(after[place] != seat for place, seat in before.items())


@pytest.fixture(scope="module")
def sick(morning):
    """The adult who leads fewest sessions calls in sick."""
    led = [s["adults"][0]["staff_id"] for s in morning["sessions"] if s["session_type"] == "small_group"]
    return [{"staff_id": min(set(led), key=lambda adult: (led.count(adult), adult))}]


def test_after_an_absence_few_seats_move_against_the_plan_before(client, body, morning, sick):
    anew = client.post("/v1/recommendations", json={**body, "absences": sick}).json()
    again = client.post(
        "/v1/recommendations", json={**body, "absences": sick, "previous": morning["id"], "move_penalty": 2}
    ).json()

    assert again["previous"] == morning["id"]
    without_adult = sum(adult == sick[0]["staff_id"] for _, _, adult in seats_of(morning).values())
    moved_anew, moved = count_moved(morning, anew) - without_adult, count_moved(morning, again) - without_adult
    assert 0 <= moved < moved_anew / 2
    assert any(term["name"] == "perturbation" and term["value"] > 0 for term in again["terms"])


def test_a_session_that_is_kept_stays_as_it_is(client, body, morning, sick):
    kept = next(s for s in morning["sessions"] if s["skill_id"] and s["adults"][0]["staff_id"] != sick[0]["staff_id"])
    asked = {**body, "absences": sick, "previous": morning["id"], "move_penalty": 0, "keep_sessions": [kept["id"]]}

    again = client.post("/v1/recommendations", json=asked).json()

    seats = seats_of(again)
    for seat in kept["students"]:
        place = kept["block_id"], seat["student_id"]
        assert seats[place] == (kept["session_type"], kept["skill_id"], kept["adults"][0]["staff_id"])


def test_a_plan_of_another_day_is_none_to_go_by(client, body, morning):
    """Also an unknown plan, an unknown session, and a move penalty without a plan, are refused by name."""

    def refuse(**more):
        answer = client.post("/v1/recommendations", json={**body, **more})
        return answer.status_code, answer.json()["rule"], answer.json().get("field")

    of_tuesday = {"date": "2026-03-17", "previous": morning["id"]}
    assert refuse(**of_tuesday) == (422, "unknown_previous", "previous")
    assert refuse(previous="none") == (422, "unknown_previous", "previous")
    told = refuse(previous=morning["id"], keep_sessions=["none"])
    assert told == (422, "unknown_session", "keep_sessions[0]")
    assert refuse(move_penalty=0.1) == (422, "invalid_request", None)


def test_other_good_plans_differ_and_can_be_decided_on(client, body):
    plan = client.post("/v1/recommendations", json={**body, "alternatives": 1}).json()

    for other in plan["alternatives"]:
        judged = client.post(f"/v1/recommendations/{plan['id']}/evaluation", json={"sessions": other["sessions"]})
        assert judged.json()["keeps_rules"]
        assert judged.json()["score"] == pytest.approx(other["score"])
        assert other["difference"] >= 0.2 - 1e-9
        assert other["score_loss"] <= 0.05 + 1e-9
    assert len(plan["alternatives"]) == 1
