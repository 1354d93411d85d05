"""What came in since the night is in the next answer of every process, and is what the next night will say."""

import pytest
from fastapi.testclient import TestClient

from features.database import Database
from features.events.log.store import read_events, read_item_skills
from features.events.log.upkeep import erase_events
from features.home import Home
from features.publications import read_publication
from serving.app import create_app
from serving.models.live import LiveEvents
from training.config import load_config
from training.nightly import run_nightly

DAY = "2026-03-14"


@pytest.fixture
def services(own_school, monkeypatch):
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    key = own_school.headers
    with TestClient(create_app(), headers=key) as one, TestClient(create_app(), headers=key) as other:
        yield one, other


@pytest.fixture
def batch(own_school):
    """Answers of a few students of the first team: new ones, late ones, one on an item nobody knew."""
    log = read_events(Home(own_school.home))
    answers = log[log["kind"] == "response"].sort_values("occurred_at")
    team = [student for student in own_school.student_ids if student in set(answers["student_id"])][:4]
    items = answers["item_id"].drop_duplicates().tolist()
    late = answers[answers["student_id"] == team[3]]["occurred_at"].iloc[-4].isoformat()
    events = [
        {
            "student_id": student,
            "occurred_at": f"{DAY}T{8 + hour:02d}:{minute:02d}:00Z",
            "item_id": items[(7 * minute + hour + place) % len(items)],
            "score": float((minute + hour) % 3 == 0),
            "duration_s": 12.5,
        }
        for student in team[:3]
        for place, (hour, minute) in enumerate([(0, 1), (0, 2), (0, 2), (3, 9), (3, 10), (1, 5)])
    ]
    events.append({"student_id": team[3], "occurred_at": late, "item_id": items[0], "correct": True})
    events.append(
        {
            "student_id": team[0],
            "occurred_at": f"{DAY}T20:00:00Z",
            "item_id": "new",
            "score": 0,
            "skill_ids": ["new-skill"],
        }
    )
    return events


@pytest.fixture
def lost(own_school):
    """A student, a skill in which the student is proficient and was right last, and six wrong answers of today."""
    (published,) = (own_school.home / "published" / own_school.run_id).iterdir()
    profiles = read_publication(published).skill_profiles()
    team = own_school.student_ids[5:20]
    going_on = profiles[(profiles["skill_streak"] >= 5) & profiles["student_id"].isin(team)].iloc[0]
    tags = read_item_skills(Home(own_school.home))
    alone = tags[~tags["item_id"].duplicated(keep=False) & (tags["skill_id"] == going_on["skill_id"])]
    student = str(going_on["student_id"])
    events = [
        {"student_id": student, "occurred_at": f"{DAY}T09:0{minute}:00Z", "item_id": item, "score": 0.0}
        for minute, item in enumerate(alone["item_id"].head(6))
    ]
    assert len(events) == 6
    return student, str(going_on["skill_id"]), events


def answers_of(client, school, students):
    """Everything that is answered about a team and some of its students."""
    board = client.get(f"/v1/teams/{school.team_ids[0]}/board").json()
    return board, [client.get(f"/v1/students/{student}/profile").json() for student in students]


def without_provenance(answers):
    board, profiles = answers
    return [{name: value for name, value in answer.items() if name != "provenance"} for answer in (board, *profiles)]


def skill_of(profile, skill):
    return next(each for each in profile["skills"] if each["skill_id"] == skill)


def test_six_wrong_answers_take_proficiency_away_at_once(services, own_school, lost):
    """Over HTTP, in the profile, the forecasts and the board of another process than the one that was told."""
    one, other = services
    student, skill, events = lost
    team = f"/v1/teams/{own_school.team_ids[0]}"
    before = skill_of(other.get(f"/v1/students/{student}/profile").json(), skill)
    assert before["status"] == "proficient"
    assert before["struggle_risk"] == 0

    assert one.post("/v1/events", json={"events": events}).json()["stored"] == 6

    after = skill_of(other.get(f"/v1/students/{student}/profile").json(), skill)
    assert after["status"] == "review_due"
    assert after["opportunities"] == before["opportunities"] + 6
    assert after["facts"][0] == "5 of the last 5 wrong"
    assert "reached 3 in a row before" in after["facts"]
    assert after["facts"][-1].startswith("review due: latest answers mostly wrong")
    risks = {row["student_id"]: row for row in other.get(f"{team}/forecasts").json()["students"]}[student]
    assert skill_of(risks, skill) == {name: after[name] for name in skill_of(risks, skill)}
    row = {row["student_id"]: row for row in other.get(f"{team}/board").json()["students"]}[student]
    (need,) = (need for need in row["needs"] if need["skill_id"] == skill)
    assert (need["status"], need["facts"]) == ("review_due", after["facts"])
    assert need["skill"] not in row["strengths"]


def test_after_a_long_pause_the_first_answer_of_anybody_shows_what_was_forgotten(services, own_school, lost):
    """A school's profiles are read at the midnight after its last event, so what nobody practiced is due for review."""
    one, other = services
    student, skill, events = lost
    first = {**events[0], "student_id": own_school.student_ids[0], "occurred_at": "2026-05-20T08:00:00Z"}

    assert one.post("/v1/events", json={"events": [first]}).json()["stored"] == 1

    profile = other.get(f"/v1/students/{student}/profile").json()
    assert profile["provenance"]["data_as_of"].startswith("2026-05-21")
    assert skill_of(profile, skill)["status"] == "review_due"
    assert skill_of(profile, skill)["facts"][-1] == "review due: last practiced long ago"
    assert not {each["status"] for each in profile["skills"]} & {"proficient"}


@pytest.mark.long
def test_the_answers_after_live_events_are_those_of_a_night_with_the_same_events(services, own_school, batch, lost):
    """Through HTTP, two processes, the event log and a real night that keeps the champion."""
    one, other = services
    batch += lost[2]
    students = sorted({event["student_id"] for event in batch}) + list(own_school.student_ids[-2:])
    before = answers_of(one, own_school, students)

    for part in (batch[9:], batch[:9]):
        assert one.post("/v1/events", json={"events": part}).json()["stored"] == len(part)
    answers_of(other, own_school, students)
    again = [{**event, "skill_ids": ["further"]} for event in (batch[0], batch[-2], batch[-1])]
    assert one.post("/v1/events", json={"events": again}).json()["known"] == len(again)
    live = answers_of(one, own_school, students)
    elsewhere = answers_of(other, own_school, students)

    assert live == elsewhere
    assert without_provenance(live) != without_provenance(before)
    assert before[0]["provenance"]["live_events_through"] == 0
    assert live[0]["provenance"]["live_events_through"] == len(batch)
    assert live[0]["provenance"]["data_as_of"].startswith("2026-03-15")

    strict = own_school.home.parent / "strict.toml"
    strict.write_text(
        own_school.config.read_text().replace("max_ece = 0.15", "max_ece = 1e-9").replace("rounds = 30", "rounds = 2")
    )
    assert run_nightly(Home(own_school.home), load_config(strict)).did == "kept"
    assert answers_of(one, own_school, students) == live  # the old snapshot still needs them
    assert one.app.state.snapshots.refresh()
    night = answers_of(one, own_school, students)

    assert without_provenance(night) == without_provenance(live)
    assert night[0]["provenance"]["profiles"] != live[0]["provenance"]["profiles"]
    assert answers_of(other, own_school, students) == live
    assert len(one.app.state.live._days) == 1  # the old snapshot is gone, with everybody in it

    again = one.post("/v1/events", json={"events": batch}).json()
    assert (again["stored"], again["known"]) == (0, len(batch))
    assert answers_of(one, own_school, students) == night


def test_a_plan_says_which_live_events_it_saw(services, own_school, batch):
    one, other = services
    one.post("/v1/events", json={"events": batch})

    answer = other.post("/v1/recommendations", json={"team_id": own_school.team_ids[0], "date": "2026-03-16"})

    assert answer.json()["provenance"]["live_events_through"] == len(batch)


def test_a_voided_answer_leaves_every_process_at_once(services, own_school, batch):
    one, other = services
    student, never_voided = batch[0]["student_id"], batch[1]
    one.post("/v1/events", json={"events": [never_voided]})
    before = answers_of(other, own_school, [student])
    answered = {
        "id": "statement-1",
        "actor": {"account": {"name": student}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"},
        "object": {"id": batch[0]["item_id"]},
        "result": {"success": False},
        "timestamp": f"{DAY}T21:00:00Z",
    }
    voided = answered | {
        "id": "statement-2",
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": "statement-1"},
    }

    assert one.post("/v1/events/xapi", json=[answered]).json()["stored"] == 1
    assert answers_of(other, own_school, [student]) != before
    assert one.post("/v1/events/xapi", json=[voided]).json()["voided"] == 1

    assert answers_of(other, own_school, [student]) == before


def test_with_the_database_away_answers_go_on_with_what_was_seen(services, own_school, batch):
    one, _ = services
    one.post("/v1/events", json={"events": batch})
    snapshot, live = one.app.state.snapshots.current(), one.app.state.live
    seen = live.restrict(snapshot, own_school.student_ids[:3])

    (own_school.home / "regroup.db").rename(own_school.home / "away.db")

    assert live.restrict(snapshot, own_school.student_ids[:3]) is seen
    assert seen.live_through == sum(event["student_id"] in own_school.student_ids[:3] for event in batch)


def test_an_event_older_than_the_profiles_is_in_its_place_after_an_erasure_too(services, own_school, batch):
    """The version of the log that the profiles were folded from is gone then; the newest stands in."""
    one, _ = services
    student = batch[-2]["student_id"]
    erase_events(Home(own_school.home), own_school.student_ids[-1])
    before = one.get(f"/v1/students/{student}/profile").json()

    one.post("/v1/events", json={"events": [batch[-2]]})

    assert one.get(f"/v1/students/{student}/profile").json()["responses"] == before["responses"] + 1


class AwayDatabase(Database):
    """A server that does not answer, and how often it was asked."""

    asked = 0

    def reading(self):
        self.asked += 1
        return super().reading()


def test_a_database_that_does_not_answer_is_left_alone_for_a_moment(services, own_school):
    one, _ = services
    database = AwayDatabase("postgresql://me@localhost:1/x?connect_timeout=1")
    snapshot = one.app.state.snapshots.current()
    live = LiveEvents(Home(own_school.home), database)

    snapshots = [live.restrict(snapshot, ["nobody"]) for _ in range(5)]

    assert database.asked < 5
    assert {snapshot.live_through for snapshot in snapshots} == {None}
