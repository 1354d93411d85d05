"""Plans as a scheduling tool asks for them, lists them and reads them, in SQLite and in PostgreSQL."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import func, select, update

from features.database import DatabaseAwayError
from features.events.log.store import read_events
from features.home import Home
from features.roster.tables import TEAMS, count_change
from serving.plans import recommend
from serving.plans.turns.queue import SolverQueue
from serving.store.tables import IDEMPOTENCY, RECOMMENDATION_STUDENTS, RECOMMENDATIONS
from tests.examples import DATABASES

MONDAY, QUICK = "2026-03-16", 0.05


@pytest.fixture(scope="module", params=DATABASES)
def client(request, open_service):
    postgres_url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with open_service(postgres_url) as client:
        yield client


@pytest.fixture
def body(trained_school):
    return {"team_id": trained_school.team_ids[0], "date": MONDAY, "seconds": QUICK}


def count(client, table):
    with client.app.state.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar()


def ask(client, body, key):
    return client.post("/v1/recommendations", json=body, headers={"Idempotency-Key": key})


def test_twenty_posts_with_one_key_make_one_plan(client, body):
    """Each is answered with the plan, or told to ask again; all then get the same bytes."""
    before = count(client, RECOMMENDATIONS)

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: ask(client, body, "twenty"), range(20)))
    again = ask(client, body, "twenty")

    assert count(client, RECOMMENDATIONS) == before + 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum(answer.headers.get("idempotency-replayed") is None for answer in answers if answer.is_success) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert (answer.json()["rule"], answer.headers["retry-after"]) == ("idempotency_key_in_flight", "1")
        else:
            assert answer.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert client.get(again.headers["location"]).content == again.content


def test_a_teams_own_choices_are_in_its_answer(client, body):
    """What was asked for and all else that the plan rests on; choices that cannot be are refused by name."""
    size = {"session_type": "small_group", "least": 2, "most": 4, "tables": 1, "support": True}
    policy = {"students_per_monitor": 40, "weights": {"relationships": 0.0}, "sizes": [size]}

    answer = client.post("/v1/recommendations", json=body | {"policy": policy}).json()
    plain = client.post("/v1/recommendations", json=body).json()
    wrong = client.post("/v1/recommendations", json=body | {"policy": {"sizes": [size | {"most": 1}]}})

    assert answer["policy"]["students_per_monitor"] == 40
    assert size in answer["policy"]["sizes"]
    assert (answer["policy"]["weights"]["relationships"], plain["policy"]["weights"]["relationships"]) == (0.0, 0.01)
    groups = [session for session in answer["sessions"] if session["session_type"] == "small_group"]
    assert all(len(session["students"]) <= 4 for session in groups)
    assert wrong.status_code == 422
    assert all(session["purpose"] for session in answer["sessions"] if session["skill_id"])


def test_a_key_belongs_to_one_body_whatever_the_order_of_its_fields(client, body):
    first = ask(client, body, "one body")
    same = ask(client, {"absences": [], **dict(reversed(body.items()))}, "one-body")
    other = ask(client, {**body, "seed": 1}, "one-body")

    assert first.json()["rule"] == "invalid_request"  # a blank is no part of a key
    assert same.status_code == 201
    assert (other.status_code, other.json()["rule"]) == (422, "idempotency_key_reused")


def test_no_refusal_is_kept_since_each_holds_for_one_moment(client, body, monkeypatch):
    sunday = {**body, "date": "2026-03-15"}
    refused, again = (ask(client, sunday, "sunday") for _ in range(2))
    nobody = ask(client, {**body, "team_id": "new"}, "team")
    with client.app.state.database.changing() as connection:
        connection.execute(update(TEAMS).where(TEAMS.c.team_id == body["team_id"]).values(team_id="new"))
        count_change(connection)
    loaded = ask(client, {**body, "team_id": "new"}, "team")
    with client.app.state.database.changing() as connection:
        connection.execute(update(TEAMS).where(TEAMS.c.team_id == "new").values(team_id=body["team_id"]))
        count_change(connection)

    def away(*_):
        raise DatabaseAwayError("away")

    with monkeypatch.context() as broken:
        broken.setattr("serving.plans.recommend.keep_recommendation", away)
        failed = ask(client, body, "away")
    later = ask(client, body, "away")

    assert (refused.status_code, refused.json()["rule"]) == (422, "no_blocks")
    assert "idempotency-replayed" not in again.headers
    assert (nobody.json()["rule"], loaded.json()["rule"]) == ("unknown_team", "no_blocks")
    assert (failed.status_code, later.status_code) == (503, 201)
    assert "idempotency-replayed" not in later.headers


def test_a_plan_is_not_kept_by_a_request_whose_key_was_taken_over(client, body, monkeypatch):
    """While the plan is made, another process takes the key over: the plan must not be there twice."""
    before = count(client, RECOMMENDATIONS)
    plan = recommend.recommend_day

    def plan_slowly(*given, **more):
        found = plan(*given, **more)
        with client.app.state.database.changing() as connection:
            mine = IDEMPOTENCY.c.idempotency_key == "slow"
            started = connection.execute(select(IDEMPOTENCY.c.started_at).where(mine)).scalar()
            connection.execute(update(IDEMPOTENCY).where(mine).values(started_at=started + timedelta(seconds=1)))
        return found

    monkeypatch.setattr(recommend, "recommend_day", plan_slowly)
    answer = ask(client, body, "slow")

    assert (answer.status_code, answer.json()["rule"]) == (409, "idempotency_key_in_flight")
    assert count(client, RECOMMENDATIONS) == before


@pytest.mark.parametrize(("keeping", "least", "most"), [(0.1, 0.1, 0.3), (9.0, 0.1, 0.1)])
def test_the_search_yields_what_the_rest_needs_but_keeps_a_quarter(client, body, monkeypatch, keeping, least, most):
    given, search = [], recommend.suggest_groups

    def spy(problem, budget):
        given.append(budget)
        return search(problem, budget)

    monkeypatch.setattr(recommend, "suggest_groups", spy)
    monkeypatch.setattr(SolverQueue, "answering_s", keeping)

    assert client.post("/v1/recommendations", json=body | {"seconds": 0.4}).status_code == 201
    assert least <= given[0].seconds <= most


def test_everybody_whom_a_plan_names_is_linked_to_it_absent_or_not(client, body, trained_school):
    members = {row["student_id"] for row in client.get(f"/v1/teams/{body['team_id']}/board").json()["students"]}
    away = min(members)

    made = client.post("/v1/recommendations", json={**body, "absences": [{"student_id": away}]}).json()

    with client.app.state.database.reading() as connection:
        linked = RECOMMENDATION_STUDENTS.c.recommendation_id == made["id"]
        found = set(connection.execute(select(RECOMMENDATION_STUDENTS.c.student_id).where(linked)).scalars())
    assert found == members


def test_a_plan_has_a_tag_by_which_it_is_not_sent_twice(client, body):
    address = client.post("/v1/recommendations", json=body).headers["location"]
    first = client.get(address)
    tag = first.headers["etag"]

    def read(held):
        return client.get(address, headers={"If-None-Match": held}).status_code

    assert tag.startswith('"')
    assert [read(tag), read(f'"x", W/{tag}'), read("*"), read('"x"')] == [304, 304, 304, 200]


def test_plans_are_listed_page_by_page_with_what_was_decided(client, body, trained_school):
    """A row is short; the last page has no cursor."""
    body = {**body, "team_id": trained_school.team_ids[1]}
    made = [client.post("/v1/recommendations", json={**body, "seed": seed}).json() for seed in range(3)]
    client.post(f"/v1/recommendations/{made[1]['id']}/decision", json={"decision": "rejected"})

    def page(**more):
        return client.get("/v1/recommendations", params={"team_id": body["team_id"], "limit": 2, **more})

    first = page(date=MONDAY).json()
    second = page(date=MONDAY, cursor=first["next_cursor"]).json()

    rows = first["recommendations"] + second["recommendations"]
    assert [row["id"] for row in rows] == [plan["id"] for plan in reversed(made)]
    assert [row["decision"] for row in rows] == [None, "rejected", None]
    assert second["next_cursor"] is None
    assert rows[0] == {name: made[2][name] for name in ("id", "created_at", "date", "status", "score")} | {
        "decision": None,
        "awaits_signature": None,
        "cycle": None,
    }
    assert page(date="2026-03-17").json() == {"recommendations": [], "next_cursor": None}
    refused = page(cursor=first["next_cursor"])
    assert (refused.status_code, refused.json()["rule"], refused.json()["field"]) == (422, "bad_cursor", "cursor")
    assert page(team_id="nobody").json()["rule"] == "unknown_team"
    assert page(limit=0).json()["errors"][0]["field"] == "query.limit"


@pytest.mark.parametrize("day", ["0001-01-01", "1989-12-31", "2200-01-01", "9999-12-31"])
def test_a_day_from_which_nothing_can_be_counted_is_refused_by_name(client, body, day):
    planned = client.post("/v1/recommendations", json=body | {"date": day})
    listed = client.get("/v1/recommendations", params={"team_id": body["team_id"], "date": day})

    for answer in (planned, listed):
        assert answer.status_code == 422
        assert [error["field"].rpartition(".")[2] for error in answer.json()["errors"]] == ["date"]


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "%00", "a" * 3000, "' OR 1=1 --", "٣", "\u202e", "null", "0" * 32])
def test_odd_texts_are_refused_or_found_nowhere(client, body, odd):
    """Wherever a text may stand; some of these no database takes."""
    plan = client.post("/v1/recommendations", json=body).json() if odd == "\x00" else {"id": "0" * 32}
    path = quote(odd, errors="surrogatepass", safe="")
    again = {**body, "previous": odd, "keep_sessions": [odd]}
    absent = {**body, "absences": [{"student_id": odd, "block_ids": [odd]}], "rules": [{"kind": odd}]}

    answers = [
        client.get(f"/v1/recommendations/{path}"),
        client.get(f"/v1/recommendations?team_id={path}"),
        client.get(f"/v1/recommendations?team_id={body['team_id']}&cursor={path}"),
        client.get(f"/v1/recommendations?team_id={body['team_id']}&date=x{path}"),
        *(send(client, "/v1/recommendations", sent) for sent in ({**body, "team_id": odd}, again, absent)),
        *(
            send(client, f"/v1/recommendations/{plan['id']}/{call}", each)
            for call, each in (
                ("decision", {"decision": "rejected", "note": odd + "\x00"}),
                ("seat-options", {"student_id": odd, "block_ids": [odd]}),
                ("explanations", {"student_id": odd, "block_id": odd, "skill_id": odd}),
                ("evaluation", {"sessions": [{"id": odd, "block_id": odd, "session_type": "online", "adults": [odd]}]}),
            )
        ),
    ]

    for answer in answers:
        assert answer.status_code in {404, 422}, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def send(client, address, body):
    """Posts what Python's JSON writes, lone surrogates too."""
    return client.post(address, content=json.dumps(body), headers={"Content-Type": "application/json"})


def test_a_plan_says_what_to_teach_by_the_answers_of_its_groups(client, body, trained_school):
    """Its students had the items wrong last in the event log; nobody of them has seen those of the exit check."""
    log = read_events(Home(trained_school.home))
    first = log[(log["kind"] == "response") & (log["attempt"].isna() | (log["attempt"] == 1))]
    latest = first.sort_values(["occurred_at", "sequence"], kind="stable").groupby(["student_id", "item_id"]).last()

    answer = client.post("/v1/recommendations", json=body).json()

    led = [session for session in answer["sessions"] if session["skill_id"] is not None]
    assert led
    assert all(session["teach"] is None for session in answer["sessions"] if session["skill_id"] is None)
    for session in led:
        here = latest[latest.index.isin([seat["student_id"] for seat in session["students"]], level="student_id")]
        wrong = here[~here["correct"].astype(bool)].groupby("item_id").size()
        for missed in session["teach"]["missed_items"]:
            assert missed["students"] == wrong[missed["item_id"]]
        assert not set(session["teach"]["exit_check"]) & set(here.index.get_level_values("item_id"))
    assert any(session["teach"]["missed_items"] for session in led)
    assert any(session["teach"]["exit_check"] for session in led)
    again = client.post(f"/v1/recommendations/{answer['id']}/evaluation", json={"sessions": answer["sessions"]})
    assert again.status_code == 200
