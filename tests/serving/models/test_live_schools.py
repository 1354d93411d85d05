"""What one school sends changes nothing in the answers about another, and memory does not grow with it."""

from itertools import count

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from features.database import Database
from features.events.log.store import read_events
from features.home import Home
from features.roster.tables import TEAMS, count_change
from serving.app import create_app
from serving.models.live import MAX_RESTRICTED_BYTES
from serving.store.roster_cache import RosterCache

NUMBERS = count()


def url_of(school):
    return f"sqlite:///{school.home / 'regroup.db'}"


@pytest.fixture
def two_schools(own_school, monkeypatch):
    """A service for two schools of a team each: each school's team and students, and a client with a key of its own."""
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    with Database(url_of(own_school)) as database, database.changing() as connection:
        for school, team in zip(("North", "South"), own_school.team_ids, strict=True):
            connection.execute(update(TEAMS).where(TEAMS.c.team_id == team).values(school=school))
        count_change(connection)
    with TestClient(create_app(), headers=own_school.headers) as client:
        yield client


def members_of(school, number):
    with Database(url_of(school)) as database:
        return RosterCache(database, 3600).fresh(school.team_ids[number]).team.members


def send(client, events):
    """Sends events that have their place in the day, none like one before; returns how many were stored."""
    bodies = [
        {
            "student_id": student,
            "event_id": f"e{next(NUMBERS)}",
            "occurred_at": (pd.Timestamp("2026-03-20T08:00Z") + pd.Timedelta(hours=hours)).isoformat(),
            "item_id": item,
            "score": score,
            "skill_ids": skills,
        }
        for student, hours, item, score, skills in events
    ]
    return client.post("/v1/events", json={"events": bodies}).json()["stored"] if bodies else 0


def seen_of(client, school, number, students):
    """All that is answered about a team, with its ETags, and the items that its plans may choose from."""
    team = school.team_ids[number]
    answers = [client.get(f"/v1/teams/{team}/{name}") for name in ("board", "forecasts")]
    answers += [client.get(f"/v1/students/{student}/profile") for student in students]
    state = client.app.state
    roster = state.rosters.fresh(team)
    snapshot = state.live.restrict(state.snapshots.current(), roster.team.members, roster.school_students)
    known = snapshot.answers
    items = {skill: [known.items[code] for code in known.items_of(skill)] for skill in roster.skills.skills}
    return [(answer.status_code, answer.headers.get("etag"), answer.text) for answer in answers], items


MEMBERS, SKILLS = st.integers(0, 39), ("skill-001", "skill-002", "of nobody else")
EVENTS = st.lists(
    st.tuples(
        MEMBERS,
        st.one_of(st.floats(0, 40), st.floats(-24 * 40, 24 * 200)),
        st.sampled_from(["known", "known", "new", "unseen"]),
        st.integers(0, 1),
        st.lists(st.sampled_from(SKILLS), max_size=2),
    ),
    max_size=6,
)


@settings(
    max_examples=4,
    phases=[Phase.reuse, Phase.generate],  # a smaller example would take minutes to find
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(own=EVENTS, others=EVENTS, number=st.integers(0, 1))
def test_events_of_one_school_change_no_byte_of_an_answer_about_another(own_school, two_schools, own, others, number):
    """Whatever they are about and whenever they happened; nor does the other school's answer tell how many came."""
    known = str(read_events(Home(own_school.home), columns=["item_id"])["item_id"].dropna().iloc[0])
    teams = [members_of(own_school, at) for at in (0, 1)]

    def told(of, events):
        item_of = {"known": known, "new": f"new of {of}", "unseen": f"unseen {next(NUMBERS)}"}
        rows = ((teams[of][student], hours, item_of[item], *rest) for student, hours, item, *rest in events)
        return send(two_schools, rows)

    assert told(number, own) == len(own)
    students = teams[number][:3]
    before = seen_of(two_schools, own_school, number, students)

    assert told(1 - number, others) == len(others)

    assert seen_of(two_schools, own_school, number, students) == before


def test_an_event_of_tomorrow_is_refused_and_one_of_a_clock_that_is_a_little_ahead_is_not(own_school, two_schools):
    student, now = own_school.student_ids[0], pd.Timestamp.now("UTC")
    event = {"student_id": student, "item_id": "i", "score": 1}
    ahead = [{**event, "occurred_at": (now + pd.Timedelta(minutes=more)).isoformat()} for more in (10, 20, 24 * 60)]

    answer = two_schools.post("/v1/events", json={"events": ahead}).json()

    assert answer["stored"] == 1
    assert [(each["index"], each["rule"]) for each in answer["rejected"]] == [
        (1, "time_out_of_range"),
        (2, "time_out_of_range"),
    ]


def test_nothing_is_kept_of_answers_before_the_last_event(own_school, two_schools):
    """Boards of both schools are read after each event of one; what is kept stays as large as after the first."""
    north, south = (members_of(own_school, number) for number in (0, 1))
    state = two_schools.app.state
    sizes, tags = [], set()
    for number in range(12):
        send(two_schools, [(north[0], number / 10, "item", number % 2, ["skill-001"])])
        tags.add(two_schools.get(f"/v1/teams/{own_school.team_ids[1]}/board").headers["etag"])
        for team in own_school.team_ids:
            two_schools.get(f"/v1/teams/{team}/forecasts")
            two_schools.get(f"/v1/teams/{team}/board")
        two_schools.get(f"/v1/students/{north[number % 5]}/profile")
        (day,) = state.live._days.values()
        kept = sum(each.snapshot.nbytes for each in day._restricted.values())
        sizes.append(kept + state.snapshots.current().cache.nbytes)

    assert len(tags) == 1
    assert max(sizes[5:]) < 1.2 * sizes[4] < MAX_RESTRICTED_BYTES
    assert all(south[0] not in students for students in day._restricted)
