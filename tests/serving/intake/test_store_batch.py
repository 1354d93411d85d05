"""Batches of live events over HTTP, into a real SQLite file and a real PostgreSQL: refused clearly or stored once."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from features.database import Database
from features.events.identity.ids import event_ids
from features.events.live.answers import LIVE_EVENTS
from features.logs.rows import raw_rows
from features.roster import Member, Roster, TeamName, save_roster
from serving.access.caller import ANYBODY, Caller
from serving.app import create_app
from serving.intake.store_batch import may_load
from tests.examples import DATABASES

ANSWER = {
    "event_id": "r1",
    "student_id": "007",
    "occurred_at": "2026-03-16T08:15:02.250Z",
    "item_id": "frac-17",
    "score": 1,
    "skill_ids": ["add", "carry"],
}


@pytest.fixture(scope="module", params=DATABASES)
def url(request, tmp_path_factory):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('live') / 'regroup.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture(scope="module")
def client(url, give_key, tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REGROUP_DATABASE_URL", url)
        environment.setenv("REGROUP_HOME", str(tmp_path_factory.mktemp("home")))
        environment.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path_factory.mktemp('none') / 'mlflow.db'}")
        environment.setenv("REGROUP_EVENTS_PER_BATCH", "500")
        app = create_app()
        Database(url).migrate("base")
        headers = {"Authorization": f"Bearer {give_key(url)}"}
        with TestClient(app, raise_server_exceptions=False, headers=headers) as client:
            yield client


@pytest.fixture(autouse=True)
def empty(client):
    with client.app.state.database.changing() as connection:
        connection.execute(LIVE_EVENTS.delete())


def post(client, *events, **query):
    return client.post("/v1/events", json={"events": list(events)}, params=query)


def stored(client):
    with client.app.state.database.reading() as connection:
        rows = connection.execute(select(LIVE_EVENTS).order_by(LIVE_EVENTS.c.sequence)).all()
    return [json.loads(row.event) for row in rows]


def rules(answer):
    return [(event["index"], event["rule"], event["field"]) for event in answer.json()["rejected"]]


def test_a_batch_is_stored_as_the_event_log_will_hold_it(client):
    answer = post(client, ANSWER)

    assert answer.status_code == 200
    counts = {"stored": 1, "known": 0, "erased": 0, "voided": 0, "nulled": 0, "ignored": 0}
    assert answer.json() == {**counts, "ignored_kinds": {}, "notes": [], "rejected": []}
    (event,) = stored(client)
    assert event["occurred_at"] == 1_773_648_902_250_000
    assert (event["student_id"], event["score"], event["correct"]) == ("007", 1.0, True)
    assert event["skills"] == "add\x1fcarry"


def test_the_same_response_has_the_same_id_as_in_a_file(client):
    post(client, {**ANSWER, "source": "practice-app"})

    of_file = event_ids(raw_rows({"student_id": "007", "event_key": "r1"}, size=1), "practice-app")[0]
    assert stored(client)[0]["event_id"] == of_file


def test_a_batch_sent_again_stores_nothing_twice(client):
    batch = [ANSWER, {**ANSWER, "event_id": None}, {**ANSWER, "event_id": None, "kind": "video", "item_id": None}]
    first = post(client, *batch)

    again = post(client, *batch, batch[0])

    assert (first.json()["stored"], first.json()["known"]) == (3, 0)
    assert (again.json()["stored"], again.json()["known"]) == (0, 4)
    assert len(stored(client)) == 3


def test_equal_answers_of_a_batch_keep_their_number_and_order_and_count_as_tries(client):
    """As those of a file do; a try that comes in a later batch of the same session counts on."""
    clicks = [{**ANSWER, "event_id": None, "score": score} for score in (1, 0, 0)]
    later = {**ANSWER, "event_id": None, "occurred_at": "2026-03-16T08:20:00Z"}

    answers = [post(client, *clicks), post(client, *clicks), post(client, later), post(client, {**later, "attempt": 1})]

    assert [answer.json()["stored"] for answer in answers] == [3, 0, 1, 1]
    events = stored(client)
    assert [event["score"] for event in sorted(events[:3], key=lambda event: event["sequence"])] == [1, 0, 0]
    assert [event["attempt"] for event in events] == [1, 2, 3, 4, 1]


def test_an_id_that_returns_with_another_moment_is_a_conflict(client):
    post(client, ANSWER)

    answer = post(client, {**ANSWER, "occurred_at": "2026-03-17T08:15:02Z"}, {**ANSWER, "event_id": "r2"})

    assert rules(answer) == [(0, "reused_key", "event_id")]
    assert post(client, {**ANSWER, "occurred_at": "2026-03-16T08:15:02Z"}).json()["known"] == 1


def test_a_response_sent_again_with_a_further_skill_has_both(client):
    """It stays one event with the rest of what was first said of it."""
    post(client, {**ANSWER, "hints": 2}, {**ANSWER, "event_id": "r2"})

    again = post(client, {**ANSWER, "skill_ids": ["times"]}, {**ANSWER, "skill_ids": ["add"]})

    assert (again.json()["stored"], again.json()["known"]) == (0, 2)
    other, event = stored(client)  # the one sent again has the later number
    assert (event["skills"], event["hints"]) == ("add\x1fcarry\x1ftimes", 2)
    assert other["skills"] == "add\x1fcarry"


def test_good_events_are_stored_beside_rejected_ones(client):
    bad = [
        {**ANSWER, "student_id": " "},
        {**ANSWER, "item_id": None},
        {**ANSWER, "score": None},
        {**ANSWER, "score": 7},
        {**ANSWER, "occurred_at": None},
        {**ANSWER, "occurred_at": "2126-03-16T08:15:02Z"},
        {**ANSWER, "occurred_at": "1970-01-01T00:00:00Z"},
        {**ANSWER, "occurred_at": "2026-03-16T08:15:02"},
        {**ANSWER, "occurred_at": "yesterday T+00"},
        {**ANSWER, "kind": "nap"},
        {**ANSWER, "shoe_size": 42},
        {**ANSWER, "attempt": 2**80},
        {**ANSWER, "student_id": "nul\x00"},
        "not an event",
    ]

    odd = {**ANSWER, "duration_s": 1e300, "attempt": 0, "hints": -1}  # what stands beside an answer never costs it
    answer = post(client, *bad, odd)

    assert answer.status_code == 200
    assert (answer.json()["stored"], answer.json()["nulled"]) == (1, 3)
    assert rules(answer) == [
        (0, "no_student", "student_id"),
        (1, "no_item", "item_id"),
        (2, "no_score", "score"),
        (3, "score_out_of_range", "score"),
        (4, "no_time", "occurred_at"),
        (5, "time_out_of_range", "occurred_at"),
        (6, "time_out_of_range", "occurred_at"),
        (7, "unknown_time_zone", "occurred_at"),
        (8, "unreadable_time", "occurred_at"),
        (9, "bad_kind", "kind"),
        (10, "invalid_event", "shoe_size"),
        (11, "invalid_event", "attempt"),
        (12, "invalid_event", "student_id"),
        (13, "invalid_event", "event"),
    ]
    assert all("007" not in event["message"].split() for event in answer.json()["rejected"])


def test_nothing_is_stored_of_an_atomic_batch_with_a_bad_event_nor_of_one_with_no_good_event(client):
    atomic = post(client, ANSWER, {**ANSWER, "score": 7}, atomic=True)
    hopeless = post(client, {**ANSWER, "score": 7})

    for answer in (atomic, hopeless):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["rule"] == "rejected_events"
        assert answer.json()["rejected"][0]["rule"] == "score_out_of_range"
    assert stored(client) == []


def test_a_known_event_with_another_score_is_rejected_and_the_first_stays(client):
    post(client, ANSWER)

    answer = post(client, {**ANSWER, "score": 0}, {**ANSWER, "event_id": "r2"})

    assert rules(answer) == [(0, "conflicting_response", "event_id")]
    assert [event["score"] for event in stored(client)] == [1.0, 1.0]


@pytest.mark.parametrize(
    "body", ['{"events": [NaN]}', '{"events": [{"score": NaN}]}', '{"events": [{"score": 1e999}]}']
)
def test_numbers_that_are_none_are_refused(client, body):
    answer = client.post("/v1/events", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["rejected"][0]["rule"] == "invalid_event"


@pytest.mark.parametrize(
    "body", [b"\xff", "", "[", '{"events": {}}', '{"events": []}', "[" * 100_000, '{"events": [' + "9" * 9999 + "]}"]
)
def test_a_body_that_is_no_batch_is_refused(client, body):
    answer = client.post("/v1/events", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"].startswith("body")


def test_too_many_events_at_once_are_refused_with_the_limit(client):
    answer = post(client, *[ANSWER] * 501)

    assert answer.status_code == 413
    assert "at most 500" in answer.json()["detail"]


def test_a_caller_of_one_school_loads_only_its_own_students_and_learns_of_no_other(client):
    database = client.app.state.database
    teams = (TeamName("t1", "North"), TeamName("t2", "South"))
    members = (Member("t1", "007"), Member("t2", "NA"))
    save_roster(Roster(teams, members, (), (), ()), database)

    allowed = may_load(database, Caller("k", frozenset(), frozenset({"North"})), ["007", "NA", "nobody"])

    assert allowed == {"007"}
    assert may_load(database, ANYBODY, ["007", "nobody"]) == {"007", "nobody"}


def test_two_services_that_store_at_the_same_time_lose_nothing_and_double_nothing(client, url):
    """Threads of two applications send overlapping batches; numbers never fall behind what a reader saw."""
    with TestClient(create_app(), headers=client.headers) as other, ThreadPoolExecutor(4) as pool:
        batches = [[{**ANSWER, "event_id": f"r{at}"} for at in range(first, first + 20)] for first in range(0, 200, 10)]
        callers = [client, other]

        def send(at):
            while (answer := post(callers[at % 2], *batches[at // 2])).status_code == 503:
                assert answer.headers["retry-after"]  # the database was busy: nothing was stored
            return answer

        answers = list(pool.map(send, range(2 * len(batches))))

    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["stored"] for answer in answers) == 210
    with client.app.state.database.reading() as connection:
        assert connection.execute(select(func.count(LIVE_EVENTS.c.event_id.distinct()))).scalar() == 210


TEXT = st.text(st.characters(), max_size=20)
"""Lone surrogates, NUL, and letters that run from right to left too."""

WILD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**53, -(2**63), 2**64, 10**400]),
    st.floats(),
    TEXT,
    st.lists(st.integers(), max_size=2),
    st.dictionaries(TEXT, st.integers(), max_size=2),
)
ODD_TIMES = [
    "2026-03-16T08:00:00+14:00",
    "2026-02-30T08:00:00Z",
    "2026-03-16T25:00:00Z",
    "2026-03-16T08:00:60Z",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "2026-03-16T08:00:00+99:99",
    "1773648902",
    "now",
    "2026-03-16T08:00:00Z\u200f",
    "٢٠٢٦-03-16T08:00:00Z",
    "-2026-03-16T08:00:00Z",
    "2026-W12-1T08:00:00Z",
]

TIMES = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.sampled_from(ODD_TIMES),
    WILD,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "event_id": st.one_of(st.sampled_from(["a", "b"]), WILD),
        "student_id": st.one_of(st.sampled_from(["007", "日本", "שלום", "\u202e700"]), WILD),
        "kind": st.one_of(st.sampled_from(["response", "video"]), WILD),
        "occurred_at": TIMES,
        "sequence": WILD,
        "item_id": st.one_of(st.just("i"), WILD),
        "score": st.one_of(st.sampled_from([0, 0.5, 1]), WILD),
        "correct": WILD,
        "attempt": WILD,
        "hints": WILD,
        "duration_s": WILD,
        "source": WILD,
        "skill_ids": WILD,
        "more": WILD,
        "\ud800": WILD,
    },
)
EVENT = st.one_of(FIELDS, FIELDS.map(lambda fields: {**ANSWER, **fields}), WILD, st.just(ANSWER))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENT, min_size=1, max_size=6))
def test_whatever_is_sent_is_refused_clearly_or_stored_exactly_once(client, events):
    """Counts add up to the batch, every rejection names a field, and what was stored is known the next time."""
    body = json.dumps({"events": events})  # NaN and Infinity too
    send = {"content": body.encode("utf-8", "surrogatepass"), "headers": {"content-type": "application/json"}}
    before = len(stored(client))

    first = client.post("/v1/events", **send)
    after = len(stored(client))
    again = client.post("/v1/events", **send)

    assert first.status_code in {200, 422}
    assert all(event["field"] and event["message"] for event in first.json()["rejected"])
    counts = first.json() if first.status_code == 200 else {"stored": 0, "known": 0}
    if first.status_code == 200:
        assert counts["stored"] + counts["known"] + len(counts["rejected"]) == len(events)
        assert again.json() == {**counts, "stored": 0, "known": counts["stored"] + counts["known"]}
    assert after - before == counts["stored"]
    assert len(stored(client)) == after
