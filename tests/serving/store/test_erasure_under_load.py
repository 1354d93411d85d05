"""Students are erased while people plan, decide, repeat and send events, and a night runs.

Afterwards nothing anywhere names one of them, and of everybody else nothing that was acknowledged is missing.
"""

import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from filelock import FileLock, Timeout
from sqlalchemy import select

from features.erasure import Installation, erase_everywhere
from features.errors import BusyError
from features.events.ingest import ingest_file
from features.events.live.answers import LIVE_EVENTS
from features.events.log.store import read_events
from features.home import Home
from features.roster import Member, read_roster_files, save_roster, tables
from serving.app import create_app
from serving.audit.entries import list_entries
from serving.audit.spool import SPOOL
from serving.schemas.recommendations import RecommendationOut
from serving.schemas.sessions import SessionSeats
from serving.settings import Settings
from serving.store.erasure import STORES
from serving.store.forgetting import forget_students
from serving.store.recommendations import find_recommendation
from tests.serving.models.test_hot_swap import wait_until
from tests.serving.store.test_erasure import traces

pytestmark = pytest.mark.long

COUNT = int(os.environ.get("REGROUP_TEST_ERASURES", "25"))
"""Students to erase; 25 take a minute on each database, and 200 are what is asked for once in a while."""

TEAMS, STAYING = 5, 8
"""In how many teams they are, and how many others stay in each."""

LEAST = 10
"""How often each kind of work is done at least meanwhile."""

WITHIN_S = 300.0
"""For how long a single erasure is tried again while others are at work."""

MARK = "gone-"
"""How the ids of all students who are erased begin, and nothing else does."""

DAY = "2026-03-16"


@pytest.fixture
def count():
    return COUNT


@pytest.fixture(params=["sqlite", "postgresql"])
def school(request, count, own_school, simulated_school, monkeypatch, tmp_path):
    """The trained school, with teams of students to be erased beside its own; they all have events."""
    url = Home(own_school.home).database_url()
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")
        monkeypatch.setenv("REGROUP_DATABASE_URL", url)
        (own_school.home / "regroup.db").unlink()
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "1")
    folder = simulated_school.folder
    roster, first = read_roster_files(folder / "roster"), own_school.team_ids[0]
    parts = {name: list(getattr(roster, name)) for name in ("teams", "members", "staff", "rooms", "blocks")}
    added = []
    for number in range(TEAMS):
        names = [f"{MARK}{number}-{place}" for place in range(count // TEAMS)]
        names += [f"stays-{number}-{place}" for place in range(STAYING)]
        added += names
        parts["members"] += [Member(f"x{number}", name) for name in names]
        for part, key in (("teams", "team_id"), ("staff", "staff_id"), ("rooms", "room_id"), ("blocks", "block_id")):
            of_first = [record for record in getattr(roster, part) if record.team_id == first]
            for record in of_first:
                ids = {key: f"x{number}-{getattr(record, key)}", "team_id": f"x{number}"} | (
                    {"coach": record.coach and f"x{number}-{record.coach}"} if part == "staff" else {}
                )
                parts[part].append(replace(record, **ids))
    save_roster(replace(roster, **{name: tuple(records) for name, records in parts.items()}), url)
    log = pd.read_parquet(folder / "log.parquet")
    twins = dict(zip(added, itertools.cycle(log["student_id"].unique()), strict=False))
    copied = [log[log["student_id"] == twin].tail(40).assign(student_id=name) for name, twin in twins.items()]
    pd.concat(copied).to_parquet(tmp_path / "added.parquet", index=False)
    ingest_file(Home(own_school.home), tmp_path / "added.parquet", mapping=folder / "mapping.toml")
    return own_school


class Load:
    """People at work, and what was acknowledged to them.

    Attributes:
        plans: The answer of each plan, by its id.
        decisions: The sessions of each decision, by the plan's id.
        items: The items of events that were stored, by student.
        shown: How often each plan was read or answered again.
        erased: Students whose erasure has ended.
        wrong: What must not happen.
    """

    def __init__(self, client, members):
        self.client, self.members = client, members
        self.plans, self.decisions, self.items, self.shown = {}, {}, [], Counter()
        self.erased, self.wrong = set(), []
        self._keys, self._numbers = {}, itertools.count()
        self._stop = threading.Event()

    def was_heavy(self):
        """Whether each kind of work was done often enough."""
        return min(len(self.plans), len(self.decisions), len(self.items), len(self.shown)) >= LEAST

    @contextmanager
    def going_on(self):
        """People are at work within this context."""
        works = (self._plan, self._plan, self._repeat, self._decide, self._send)
        threads = [threading.Thread(target=self._run, args=(work, random.Random(at))) for at, work in enumerate(works)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _run(self, work, rng):
        while not self._stop.wait(0.05):
            try:
                work(rng)
            except Exception as error:  # noqa: BLE001 - told by the test
                self.wrong.append(repr(error))

    def _ask(self, method, address, fine, **more):
        """The answer; one that says to ask again later is none."""
        erased = set(self.erased)
        answer = self.client.request(method, address, **more)
        if answer.status_code == 503 and "retry-after" in answer.headers:
            return None
        if answer.status_code not in fine:
            self.wrong.append(f"{method} {address}: {answer.status_code} {answer.text[:300]}")
            return None
        if method == "GET" and any(f'"{student}"' in answer.text for student in erased):
            self.wrong.append(f"{method} {address} shows somebody erased")
        return answer

    def _plan(self, rng):
        key, team = f"k{next(self._numbers)}", rng.choice(sorted(self.members))
        sent = {"json": {"team_id": team, "date": DAY, "seconds": 0.05}, "headers": {"Idempotency-Key": key}}
        answer = self._ask("POST", "/v1/recommendations", {201}, **sent)
        if answer is not None:
            self.plans[answer.json()["id"]] = answer.json()
            self._keys[key] = (sent, answer.json()["id"])

    def _repeat(self, rng):
        asked = sorted(self._keys)
        for key in rng.sample(asked, min(1, len(asked))):
            sent, plan = self._keys[key]
            self.shown[plan] += self._ask("POST", "/v1/recommendations", {201}, **sent) is not None
            self.shown[plan] += self._ask("GET", f"/v1/recommendations/{plan}", {200}) is not None
        self._ask("GET", f"/v1/teams/{rng.choice(sorted(self.members))}/board", {200})

    def _decide(self, rng):
        undecided = sorted(self.plans.keys() - self.decisions.keys())
        for plan in rng.sample(undecided, min(1, len(undecided))):
            student = self.plans[plan]["sessions"][0]["students"][0]["student_id"]
            sent = {"decision": "accepted", "note": f"of {student}"}
            answer = self._ask("POST", f"/v1/recommendations/{plan}/decision", {200}, json=sent)
            if answer is not None:
                self.decisions[plan] = answer.json()["sessions"]

    def _send(self, rng):
        students = rng.sample(sorted(set().union(*self.members.values())), 4)
        events = [
            {"student_id": student, "item_id": f"live-{next(self._numbers)}", "score": 1, "skill_ids": ["k001"]}
            | {"occurred_at": "2026-03-14T08:00:00Z"}
            for student in students
        ]
        if self._ask("POST", "/v1/events", {200}, json={"events": events}) is not None:
            self.items += [(event["student_id"], event["item_id"]) for event in events]


def erase(place, student):
    """Erases a student, as often as it takes while others are at work."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        try:
            return erase_everywhere((*STORES, SPOOL), place, student)
        except BusyError:
            if time.monotonic() > deadline:
                raise


def is_locked(home, name):
    try:
        with FileLock(home.lock(name), timeout=0):
            return False
    except Timeout:
        return True


def rows_of(database, *names):
    with database.reading() as connection:
        return {name: sorted(map(repr, connection.execute(select(getattr(tables, name))))) for name in names}


def test_erasures_under_load_forget_them_and_nobody_else(school, count, give_key):
    home = Home(school.home)
    key = give_key(home.database_url(), per_minute=10**6)
    log = read_events(home)
    app = create_app(Settings(per_minute=10**6))
    with TestClient(app, raise_server_exceptions=False, headers={"Authorization": f"Bearer {key}"}) as client:
        database = app.state.database
        with database.reading() as connection:
            members = {}
            for row in connection.execute(select(tables.MEMBERS)):
                members.setdefault(row.team_id, set()).add(row.student_id)
        before = rows_of(database, "TEAMS", "STAFF", "ROOMS", "BLOCKS", "SKILLS", "FOCUS", "MEMBERS")
        load, place = Load(client, members), Installation(home, database)
        to_erase = sorted(student for team in members.values() for student in team if student.startswith(MARK))
        random.Random(0).shuffle(to_erase)
        night = None
        with load.going_on():
            for at, student in enumerate(to_erase):
                if at == count // 4:
                    command = [sys.executable, "-m", "training", "nightly", "--config", str(school.config)]
                    night = subprocess.Popen(command, stdout=subprocess.DEVNULL)
                    wait_until(lambda: is_locked(home, "nightly"), 300)
                erase(place, student)
                load.erased.add(student)
            wait_until(load.was_heavy, WITHIN_S)
        assert night.wait(timeout=600) in {0, 10}
        app.state.audit.flush()

        assert load.wrong == []
        assert len(to_erase) == count
        assert traces(school, database, MARK) == set()
        after = rows_of(database, *before)
        assert after == {name: [row for row in rows if MARK not in row] for name, rows in before.items()}
        assert_nothing_of_others_is_missing(load, database, home, log)


def assert_nothing_of_others_is_missing(load, database, home, log):
    for identity, acknowledged in load.plans.items():
        stored = find_recommendation(database, identity)
        left = forget_students(RecommendationOut, acknowledged, load.erased)
        assert json.loads(stored.answer.model_dump_json()) == left
        there = {student.id for student in stored.problem().students}
        assert there >= {seat["student_id"] for session in left["sessions"] for seat in session["students"]}
    for identity, sessions in load.decisions.items():
        left = forget_students(list[SessionSeats], sessions, load.erased)
        assert json.loads(find_recommendation(database, identity).decided_sessions) == left
    now = read_events(home)
    theirs, live = log[~log["student_id"].isin(load.erased)], now["item_id"].str.startswith("live-")
    assert sorted(now.loc[~live, "event_id"]) == sorted(theirs["event_id"])
    with database.reading() as connection:
        kept = [json.loads(text) for text in connection.execute(select(LIVE_EVENTS.c.event)).scalars()]
    sent = [event for event in load.items if event[0] not in load.erased]
    assert Counter((event["student_id"], event["item_id"]) for event in kept) == Counter(sent)
    noted = Counter((entry.action, entry.subject) for entry in list_entries(database))
    assert {plan for plan in load.plans if noted["suggest", plan] != 1} == set()
    assert {plan for plan in load.decisions if noted["decide", plan] != 1} == set()
    assert {plan: count for plan, count in load.shown.items() if noted["read_recommendation", plan] != count} == {}
