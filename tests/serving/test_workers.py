"""Two processes of the service on one real PostgreSQL, asked over real HTTP by many threads at the same time."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest
from sqlalchemy import func, select

from features.database import Database
from features.events.live.answers import LIVE_EVENTS
from features.roster import read_roster_files, save_roster
from tests.serving.api.routes.conftest import add_database
from tests.serving.models.test_hot_swap import wait_until

pytestmark = pytest.mark.long

MEGABYTE = b" " * 2**20

LONGEST_S = 60
"""In which everything has to be answered: nothing waits for ever."""

START_S = 240
"""In which two processes start, on a machine that has other work too."""


@pytest.fixture(scope="module")
def service(trained_school, simulated_school, postgres_url, give_key, tmp_path_factory):
    """The port, the headers of a key, the database, and the process that the others belong to."""
    url = add_database(postgres_url)
    save_roster(read_roster_files(simulated_school.folder / "roster"), url)
    headers = {"Authorization": f"Bearer {give_key(url, per_minute=10**6)}", "Content-Type": "application/json"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path_factory.mktemp("workers") / "home"
    home.mkdir()
    (home / "published").symlink_to(trained_school.home / "published")
    environment = {**os.environ, "REGROUP_DATABASE_URL": url, "REGROUP_HOME": str(home)}
    command = [sys.executable, "-m", "serving", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(command, env=environment)
    try:
        wait_until(lambda: is_ready(port), START_S)
        with Database(url) as database:
            yield port, headers, database, process
    finally:
        process.terminate()
        process.wait(timeout=30)


def is_ready(port):
    try:
        return ask(port, "GET", "/readyz", {})[0] == 200
    except OSError:
        return False


def ask(port, method, path, headers, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_S)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer, response.headers


def ask_until_answered(port, path, headers, body):
    """The answer, after as many tries as the service asks for; every other refusal than to wait ends it."""
    deadline = time.monotonic() + LONGEST_S
    while True:
        status, answer, headers_back = ask(port, "POST", path, headers, body)
        if status not in (409, 503):
            return status, answer
        assert headers_back["Retry-After"], answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)  # sooner than it asks for, so that more requests meet


def test_what_two_processes_acknowledge_at_the_same_time_is_kept_once(service, trained_school):
    """Batches and plans are each sent twice by different threads, while others are under way."""
    port, headers, database, _ = service
    batches = [
        [
            {"event_id": f"r{at}", "student_id": trained_school.student_ids[at % 40], "item_id": f"i{at % 7}"}
            | {"score": at % 2, "occurred_at": "2026-03-16T08:15:02Z", "skill_ids": ["s"]}
            for at in range(first, first + 10)
        ]
        for first in range(0, 200, 5)  # half of each is in the next one too
    ]
    plans = [
        (f"k{team}-{day}", {"team_id": team, "date": f"2026-03-{day}", "seconds": 0.05})
        for team in trained_school.team_ids
        for day in range(16, 20)
    ]

    def load(batch):
        return ask_until_answered(port, "/v1/events", headers, {"events": batch})

    def plan(wanted):
        key, body = wanted
        return key, *ask_until_answered(port, "/v1/recommendations", headers | {"Idempotency-Key": key}, body)

    with ThreadPoolExecutor(8) as pool:
        loads = [pool.submit(load, batch) for batch in batches]
        made = [pool.submit(plan, wanted) for wanted in plans + plans[::-1]]
        loads += [pool.submit(load, batch) for batch in batches[::-1]]
        loaded = [future.result(timeout=LONGEST_S) for future in loads]
        planned = [future.result(timeout=LONGEST_S) for future in made]

    assert {status for status, _ in loaded} == {200}
    assert sum(answer["stored"] for _, answer in loaded) == 205
    with database.reading() as connection:
        rows = connection.execute(select(func.count(), func.count(LIVE_EVENTS.c.event_id.distinct()))).one()
    assert tuple(rows) == (205, 205)
    assert Counter(status for _, status, _ in planned) == {201: 2 * len(plans)}
    ids = {key: {answer["id"] for other, _, answer in planned if other == key} for key, _ in plans}
    assert all(len(of_key) == 1 for of_key in ids.values())
    kept = {}
    for _, _, answer in planned:
        kept[answer["id"]] = ask(port, "GET", f"/v1/recommendations/{answer['id']}", headers)[:2]
        assert kept[answer["id"]] == (200, answer)
    for team in trained_school.team_ids:  # and none that no answer had
        page = ask(port, "GET", f"/v1/recommendations?team_id={team}", headers)[1]
        assert {row["id"] for row in page["recommendations"]} == {
            answer["id"] for _, _, answer in planned if answer["team_id"] == team
        }


def test_a_hundred_megabytes_are_refused_by_processes_that_never_hold_them(service):
    """With its length told, and in chunks without: 413, and what each process ever needed hardly grows."""
    port, headers, _, process = service
    before, answers = peak_mb(process), []

    for length in ({"Content-Length": str(100 * len(MEGABYTE))}, {"Transfer-Encoding": "chunked"}):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_S)
        chunked = "Transfer-Encoding" in length
        connection.request("POST", "/v1/events", repeat(MEGABYTE, 100), headers | length, encode_chunked=chunked)
        answers.append(connection.getresponse().status)
        connection.close()

    assert answers == [413, 413]
    assert all(now - was < 60 for now, was in zip(peak_mb(process), before, strict=True))  # 16 are read at most


def peak_mb(process):
    """The most that each process of the service ever held, in MB."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    texts = [Path(f"/proc/{child}/status").read_text() for child in children]
    return [int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024 for text in texts if "VmHWM" in text]
