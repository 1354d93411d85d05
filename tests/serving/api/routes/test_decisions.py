"""Decisions become what happened on a day, once, in one change with the decision, in SQLite and in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from features.roster import read_team
from tests.examples import DATABASES

MONDAY, NOTE = "2026-03-16", "Mina knows fractions well."


@pytest.fixture(scope="module", params=DATABASES)
def client(request, open_service):
    postgres_url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with open_service(postgres_url) as client:
        yield client


@pytest.fixture
def make_plan(client, trained_school):
    def _make(date, seed=0):
        body = {"team_id": trained_school.team_ids[0], "date": date, "seed": seed, "seconds": 0.05}
        return client.post("/v1/recommendations", json=body).json()

    return _make


@pytest.fixture
def decide(client):
    return lambda plan, **body: client.post(f"/v1/recommendations/{plan['id']}/decision", json=body)


def recorded(client, team, date):
    past = read_team(client.app.state.database, team).past_sessions
    return sorted((s.block_id, s.staff_id or "", s.skill_id or "", s.students) for s in past if str(s.date) == date)


def held(sessions):
    return sorted(
        (
            s["block_id"],
            s["adults"][0] if s["skill_id"] else "",
            s["skill_id"] or "",
            tuple(s["students"]),
        )
        for s in sessions
    )


def test_an_accepted_plan_is_what_happened_and_the_same_again_changes_nothing(client, make_plan, decide):
    plan = make_plan("2026-03-16")

    first, again = (decide(plan, decision="accepted", reasons=["fits"], note=NOTE) for _ in range(2))
    other = decide(plan, decision="rejected")

    assert first.status_code == 200
    assert again.content == first.content
    told = first.json()
    assert (told["decision"], told["reasons"], told["note"], told["violations"]) == ("accepted", ["fits"], NOTE, [])
    assert recorded(client, plan["team_id"], "2026-03-16") == held(told["sessions"])
    assert (other.status_code, other.json()["rule"], other.json()["decision"]) == (409, "already_decided", "accepted")
    assert NOTE not in other.text
    assert client.get(f"/v1/recommendations/{plan['id']}/decision").json() == told


def test_a_later_plan_of_the_day_replaces_what_was_accepted(client, make_plan, decide):
    """A rejected one does not."""
    first, second, third = (make_plan("2026-03-23", seed) for seed in range(3))
    decide(first, decision="accepted")

    replaced = decide(second, decision="accepted").json()
    rejected = decide(third, decision="rejected").json()

    assert replaced["replaces"] == first["id"]
    assert (rejected["replaces"], rejected["sessions"]) == (None, [])
    assert recorded(client, first["team_id"], "2026-03-23") == held(replaced["sessions"])


def test_people_have_the_last_word_and_are_told_the_rules_they_break(client, make_plan, decide):
    plan = make_plan("2026-03-30")
    online = next(s for s in plan["sessions"] if s["session_type"] == "online")
    led = next(s for s in plan["sessions"] if s["block_id"] == online["block_id"] and s["skill_id"])
    led["students"].append(online["students"][0])
    strange = [{**plan["sessions"][0], "block_id": "fri-9"}]

    refused = decide(plan, decision="edited", sessions=strange)
    kept = decide(plan, decision="edited", sessions=plan["sessions"], reasons=["wrong_group"])

    assert (refused.status_code, refused.json()["field"]) == (422, "sessions[0].block_id")
    assert "one_session" in {each["rule"] for each in kept.json()["violations"]}
    assert recorded(client, plan["team_id"], "2026-03-30") == held(kept.json()["sessions"])


def test_of_different_decisions_at_once_one_is_kept_and_recorded(client, make_plan, decide):
    plan = make_plan("2026-04-06")
    choices = ["accepted", "rejected"] * 5

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda choice: decide(plan, decision=choice), choices))

    kept = client.get(f"/v1/recommendations/{plan['id']}/decision").json()
    expected = [200 if choice == kept["decision"] else 409 for choice in choices]
    assert [answer.status_code for answer in answers] == expected
    assert recorded(client, plan["team_id"], "2026-04-06") == held(kept["sessions"])


def test_a_decision_that_cannot_record_the_day_is_not_kept(client, make_plan, decide, monkeypatch):
    """Both or nothing."""
    from features.errors import BusyError  # noqa: PLC0415

    def busy(*_):
        raise BusyError("locked")

    plan = make_plan("2026-04-13")
    with monkeypatch.context() as broken:
        broken.setattr("serving.store.decisions.replace_recorded_sessions", busy)
        failed = decide(plan, decision="accepted")

    undecided = client.get(f"/v1/recommendations/{plan['id']}/decision")
    assert (failed.status_code, undecided.status_code, undecided.json()["rule"]) == (503, 404, "undecided")
    assert decide(plan, decision="accepted").status_code == 200


def test_what_a_decision_needs_is_told(client, make_plan, decide):
    plan = make_plan("2026-04-20")

    without = decide(plan, decision="edited")
    superfluous = decide(plan, decision="accepted", sessions=plan["sessions"])
    invented = decide(plan, decision="accepted", reasons=["because"])

    assert "`edited` needs sessions" in without.json()["detail"]
    assert "`accepted` and `rejected` have none" in superfluous.json()["detail"]
    assert invented.json()["errors"][0]["field"] == "body.reasons.0"
